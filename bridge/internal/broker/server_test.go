package broker_test

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A server is a broker in this process that records published messages.
type server struct {
	*mochi.Server
	addr, url string
	stop      func()

	mu      sync.Mutex
	got     []string      // "topic payload", in order
	changed chan struct{} // closed and replaced at each message
}

// A serverHook asks its functions whether a login, a subscription or a message is permitted. A nil function permits everything, or does nothing.
// The hook records every published message and will.
type serverHook struct {
	mochi.HookBase
	*server
	login         func(user, password string) bool
	permits       func(topic string, write bool) bool
	onUnsubscribe func() // runs before the answer to an UNSUBSCRIBE
}

func (*serverHook) ID() string { return "test hook" }

func (*serverHook) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck || b == mochi.OnPublish || b == mochi.OnWillSent ||
		b == mochi.OnUnsubscribe
}

func (d *serverHook) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	return d.login == nil || d.login(string(p.Connect.Username), string(p.Connect.Password))
}

func (d *serverHook) OnACLCheck(_ *mochi.Client, topic string, write bool) bool {
	return d.permits == nil || d.permits(topic, write)
}

// OnPublish records a message before its acknowledgement is sent. mochi can call OnPublished later than that.
func (d *serverHook) OnPublish(_ *mochi.Client, p packets.Packet) (packets.Packet, error) {
	d.record(p)
	return p, nil
}

func (d *serverHook) OnUnsubscribe(_ *mochi.Client, p packets.Packet) packets.Packet {
	if d.onUnsubscribe != nil {
		d.onUnsubscribe()
	}
	return p
}

func (d *serverHook) OnWillSent(_ *mochi.Client, p packets.Packet) { d.record(p) }

func (s *server) record(p packets.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, p.TopicName+" "+string(p.Payload))
	close(s.changed)
	s.changed = make(chan struct{})
}

// start runs a broker until the test has ended. Each of the options sets functions of its hook.
func start(t testing.TB, options ...func(*serverHook)) *server {
	t.Helper()
	s := &server{
		Server:  mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}),
		changed: make(chan struct{}),
	}
	s.Options.Capabilities.MaximumClientWritesPending = 1 << 16 // mochi drops messages to a client above this number
	d := &serverHook{server: s}
	for _, option := range options {
		option(d)
	}
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	for _, err := range []error{s.AddHook(d, nil), s.AddListener(tcp), s.Serve()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.stop = sync.OnceFunc(func() { _ = s.Close() }) // a second Close panics
	t.Cleanup(s.stop)
	s.addr = tcp.Address()
	s.url = "mqtt://" + s.addr
	return s
}

// messages returns the messages published so far.
func (s *server) messages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

// await waits until at least n messages have been published, and returns all messages.
func (s *server) await(t testing.TB, n int) []string {
	t.Helper()
	limit := time.After(testTimeout)
	for {
		s.mu.Lock()
		got, changed := len(s.got), s.changed
		s.mu.Unlock()
		if got >= n {
			return s.messages()
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("the broker has %d messages, want %d", got, n)
		}
	}
}

// TestMain runs eight tests in parallel, however few processors there are, because the tests mostly wait for brokers.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
