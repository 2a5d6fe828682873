package mqtt_test

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A message is one that came to the broker.
type message struct {
	topic, payload string
	qos            byte
	retain, will   bool
	at             time.Time
}

// A broker runs in this process and remembers all that it hears.
type broker struct {
	*mochi.Server
	addr string
	stop func()

	mu    sync.Mutex
	drops map[string]bool // who publishes there is thrown out, once, and not heard
	open  bool            // everybody may read what was closed
	heard []message
	comes []string // "connect", "disconnect"
	wake  chan struct{}
}

// A door hears for the broker. Nobody may read topics that begin with closed.
type door struct {
	mochi.HookBase
	*broker
	closed string
}

func (*door) ID() string         { return "door" }
func (*door) Provides(byte) bool { return true }

func (*door) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (d *door) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return write || d.open || d.closed == "" || !strings.HasPrefix(topic, d.closed)
}

func (d *door) OnPublished(_ *mochi.Client, p packets.Packet) { d.hear(p, false) }
func (d *door) OnWillSent(_ *mochi.Client, p packets.Packet)  { d.hear(p, true) }

// OnPublish throws out who says what the broker dies of.
func (d *door) OnPublish(client *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if !d.dropped(p.TopicName) {
		return p, nil
	}
	client.Stop(packets.ErrServerShuttingDown)
	return p, packets.ErrRejectPacket
}

func (b *broker) dropped(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	is := b.drops[topic]
	delete(b.drops, topic)
	return is
}

// drop has whoever publishes to one of the topics thrown out, once each.
func (b *broker) drop(topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drops = map[string]bool{}
	for _, topic := range topics {
		b.drops[topic] = true
	}
}

func (d *door) OnSessionEstablished(*mochi.Client, packets.Packet) { d.come("connect") }
func (d *door) OnDisconnect(*mochi.Client, error, bool)            { d.come("disconnect") }

func (b *broker) hear(p packets.Packet, will bool) {
	b.note(func() {
		b.heard = append(b.heard, message{p.TopicName, string(p.Payload), p.FixedHeader.Qos, p.FixedHeader.Retain, will, time.Now()})
	})
}

func (b *broker) come(what string) { b.note(func() { b.comes = append(b.comes, what) }) }

func (b *broker) note(add func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	add()
	close(b.wake)
	b.wake = make(chan struct{})
}

// listen starts an empty broker at addr, until the test is over.
func listen(t *testing.T, addr, closed string) *broker {
	t.Helper()
	b := &broker{
		Server: mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), InlineClient: true}),
		wake:   make(chan struct{}),
	}
	b.Options.Capabilities.MaximumClientWritesPending = 1 << 16
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	for _, err := range []error{b.AddHook(&door{broker: b, closed: closed}, nil), b.AddListener(tcp), b.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.stop = sync.OnceFunc(func() { _ = b.Close() }) // a second Close panics
	t.Cleanup(func() { b.empty(); b.stop() })
	b.addr = tcp.Address()
	return b
}

// empty waits until all have left: mochi's Close hangs for ever when a client leaves in the same moment (Clients.GetByListener
// locks for reading twice), and it forgets a client that comes again in the moment in which the one of its name leaves.
func (b *broker) empty() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Second); b.Clients.Len() > 1 && time.Now().Before(deadline); { // one is the test's own
		<-tick.C
	}
}

func start(t *testing.T) *broker { return listen(t, "127.0.0.1:0", "") }

// unlock opens what is closed, and has all clients come again.
func (b *broker) unlock() {
	b.mu.Lock()
	b.open = true
	b.mu.Unlock()
	for _, client := range b.Clients.GetAll() {
		if !client.Net.Inline {
			client.Stop(packets.ErrServerShuttingDown)
		}
	}
}

// messages are those heard so far.
func (b *broker) messages() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]message(nil), b.heard...)
}

func (b *broker) visits() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.comes, " ")
}

// await waits until ok, and returns what has been heard until then.
func (b *broker) await(t *testing.T, what string, ok func([]message) bool) []message {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		b.mu.Lock()
		heard, wake := b.heard, b.wake
		b.mu.Unlock()
		if ok(heard) {
			return heard
		}
		select {
		case <-wake:
		case <-limit:
			t.Fatalf("not heard in 2 minutes: %s; heard:\n%s", what, list(heard))
		}
	}
}

// awaitText waits for a message.
func (b *broker) awaitText(t *testing.T, topic, payload string) []message {
	t.Helper()
	return b.await(t, topic+" "+payload, func(all []message) bool { return index(all, topic, payload) >= 0 })
}

// awaitTelegram waits for all that the first telegram brings. What is last of it, the meter's state or the telegram as a
// whole, is not said.
func (b *broker) awaitTelegram(t *testing.T) []message {
	t.Helper()
	return b.await(t, "a telegram and its meter online", func(all []message) bool {
		return index(all, "hanbridge/house/telegram", "") >= 0 && index(all, "hanbridge/house/status", "online") >= 0
	})
}

// retained is what the broker keeps, by topic.
func (b *broker) retained() map[string]string {
	all := map[string]string{}
	for _, p := range b.Topics.Messages("#") {
		all[p.TopicName] = string(p.Payload)
	}
	return all
}

// index is the place of the first message of a topic, and of a payload where there is one; -1 for none.
func index(all []message, topic, payload string) int {
	for i, m := range all {
		if m.topic == topic && (payload == "" || m.payload == payload) {
			return i
		}
	}
	return -1
}

func list(all []message) string {
	var text strings.Builder
	for _, m := range all {
		text.WriteString(m.at.Format("05.000 ") + m.topic + " " + m.payload[:min(len(m.payload), 60)] + "\n")
	}
	return text.String()
}

// subscribed tells if anybody listens to a topic.
func (b *broker) subscribed(topic string) bool {
	return len(b.Topics.Subscribers(topic).Subscriptions) > 0
}
