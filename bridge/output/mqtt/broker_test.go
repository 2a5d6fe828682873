package mqtt_test

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A message is a message that the broker has received.
type message struct {
	topic, payload string
	qos            byte
	retain         bool
	will           bool      // the broker published it as the will of a client
	at             time.Time // when the broker received it
}

// A broker is a server of the library mochi that runs in this process. It records every message and connection.
type broker struct {
	*mochi.Server
	addr string
	stop func()

	mu          sync.Mutex
	disconnects map[string]bool // the broker rejects the next message under each of these topics and disconnects the client that sent it
	allReadable bool            // every topic is readable, also those that begin with brokerHook.unreadable
	received    []message
	connections []string      // "connect", "disconnect"
	changed     chan struct{} // closed and replaced at each message, connect and disconnect
}

// A brokerHook records what happens at the broker. Until allReadable is true, it forbids reading topics that begin with unreadable.
type brokerHook struct {
	mochi.HookBase
	*broker
	unreadable string // a prefix of topics; "" for none
}

func (*brokerHook) ID() string         { return "test hook" }
func (*brokerHook) Provides(byte) bool { return true } // mochi calls the hook for every event

func (*brokerHook) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

// OnACLCheck permits publishing under every topic. It forbids reading a topic that begins with unreadable, unless unreadable is "" or allReadable
// is true.
func (d *brokerHook) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return write || d.allReadable || d.unreadable == "" || !strings.HasPrefix(topic, d.unreadable)
}

func (d *brokerHook) OnPublished(_ *mochi.Client, p packets.Packet) { d.recordMessage(p, false) }
func (d *brokerHook) OnWillSent(_ *mochi.Client, p packets.Packet)  { d.recordMessage(p, true) }

// OnPublish rejects a message under a topic in disconnects and disconnects the client that sent it.
func (d *brokerHook) OnPublish(client *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if !d.takeDisconnect(p.TopicName) {
		return p, nil
	}
	client.Stop(packets.ErrServerShuttingDown)
	return p, packets.ErrRejectPacket
}

// takeDisconnect reports whether topic is in disconnects, and removes it from there.
func (b *broker) takeDisconnect(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.disconnects[topic]
	delete(b.disconnects, topic)
	return found
}

// disconnectPublishersOf makes the broker reject the next message under each of the topics and disconnect the client that sent it.
func (b *broker) disconnectPublishersOf(topics ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disconnects = map[string]bool{}
	for _, topic := range topics {
		b.disconnects[topic] = true
	}
}

func (d *brokerHook) OnSessionEstablished(*mochi.Client, packets.Packet) {
	d.recordConnection("connect")
}
func (d *brokerHook) OnDisconnect(*mochi.Client, error, bool) { d.recordConnection("disconnect") }

func (b *broker) recordMessage(p packets.Packet, will bool) {
	b.update(func() {
		b.received = append(b.received, message{p.TopicName, string(p.Payload), p.FixedHeader.Qos, p.FixedHeader.Retain, will, time.Now()})
	})
}

// recordConnection records a "connect" or a "disconnect".
func (b *broker) recordConnection(what string) {
	b.update(func() { b.connections = append(b.connections, what) })
}

// update calls change, which changes the record, and wakes every call of await.
func (b *broker) update(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	close(b.changed)
	b.changed = make(chan struct{})
}

// startBroker starts an empty broker at addr, which runs until the test has ended. Clients are not permitted to read topics that begin with
// unreadable; "" permits every topic.
func startBroker(t *testing.T, addr, unreadable string) *broker {
	t.Helper()
	b := &broker{
		Server:  mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), InlineClient: true}),
		changed: make(chan struct{}),
	}
	b.Options.Capabilities.MaximumClientWritesPending = 1 << 16 // mochi drops messages to a client for which more messages wait
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	for _, err := range []error{b.AddHook(&brokerHook{broker: b, unreadable: unreadable}, nil), b.AddListener(tcp), b.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.stop = sync.OnceFunc(func() { _ = b.Close() }) // a second Close panics
	t.Cleanup(func() { b.awaitNoClients(); b.stop() })
	b.addr = tcp.Address()
	return b
}

// awaitNoClients waits until every client has disconnected, for two seconds at most. Call it before Close, because Close of mochi hangs if a client
// disconnects at the same time. Call it before a client id is used again, because mochi can drop a client that connects while an earlier client
// with the same id disconnects.
func (b *broker) awaitNoClients() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Second); b.Clients.Len() > 1 && time.Now().Before(deadline); { // b.Publish uses a client inside mochi, which remains
		<-tick.C
	}
}

// startOpenBroker starts a broker that permits reading every topic.
func startOpenBroker(t *testing.T) *broker { return startBroker(t, "127.0.0.1:0", "") }

// openAndReconnect permits reading every topic and disconnects all clients, so that they connect again.
func (b *broker) openAndReconnect() {
	b.mu.Lock()
	b.allReadable = true
	b.mu.Unlock()
	for _, client := range b.Clients.GetAll() {
		if !client.Net.Inline {
			client.Stop(packets.ErrServerShuttingDown)
		}
	}
}

// messages returns the messages received so far.
func (b *broker) messages() []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]message(nil), b.received...)
}

// connectionLog returns the connects and disconnects so far, in order.
func (b *broker) connectionLog() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.connections, " ")
}

// await waits until ok returns true for the messages received so far, and returns these messages. It calls ok at first, and then after each
// message, connect and disconnect.
func (b *broker) await(t *testing.T, what string, ok func([]message) bool) []message {
	t.Helper()
	limit := time.After(2 * time.Minute)
	for {
		b.mu.Lock()
		received, changed := b.received, b.changed
		b.mu.Unlock()
		if ok(received) {
			return received
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("not received within 2 minutes: %s; received:\n%s", what, formatMessages(received))
		}
	}
}

// awaitText waits for a message under topic with a payload, or with any payload if payload is empty.
func (b *broker) awaitText(t *testing.T, topic, payload string) []message {
	t.Helper()
	return b.await(t, topic+" "+payload, func(all []message) bool { return index(all, topic, payload) >= 0 })
}

// awaitTelegram waits for the telegram and the status online of the meter "house". One of these two is the last message that the first telegram of
// the meter causes.
func (b *broker) awaitTelegram(t *testing.T) []message {
	t.Helper()
	return b.await(t, "a telegram and its meter online", func(all []message) bool {
		return index(all, "hanbridge/house/telegram", "") >= 0 && index(all, "hanbridge/house/status", "online") >= 0
	})
}

// retained returns the payloads that the broker retains, by topic.
func (b *broker) retained() map[string]string {
	all := map[string]string{}
	for _, p := range b.Topics.Messages("#") {
		all[p.TopicName] = string(p.Payload)
	}
	return all
}

// index returns the index of the first message of a topic with a payload, or -1. An empty payload matches every message of the topic.
func index(all []message, topic, payload string) int {
	for i, m := range all {
		if m.topic == topic && (payload == "" || m.payload == payload) {
			return i
		}
	}
	return -1
}

// formatMessages returns a line for each message, with its time and the beginning of its payload.
func formatMessages(all []message) string {
	var text strings.Builder
	for _, m := range all {
		text.WriteString(m.at.Format("05.000 ") + m.topic + " " + m.payload[:min(len(m.payload), 60)] + "\n")
	}
	return text.String()
}

// subscribed reports whether a client has subscribed to a topic.
func (b *broker) subscribed(topic string) bool {
	return len(b.Topics.Subscribers(topic).Subscriptions) > 0
}

// TestMain runs sixteen tests in parallel, because the tests mostly wait for brokers.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
