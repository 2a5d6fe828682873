package systemd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/systemd"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A manager simulates the service manager. It listens at the socket and records the notifications in order.
type manager struct {
	t      *testing.T
	socket string

	mu            sync.Mutex
	notifications []string
}

// newManager returns a manager that does not listen yet. It sets the environment of a service with a watchdog.
func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{t: t, socket: filepath.Join(t.TempDir(), "notify")}
	t.Setenv("NOTIFY_SOCKET", m.socket)
	t.Setenv("WATCHDOG_USEC", "40000") // 40 ms; the output pings every 20 ms
	t.Setenv("WATCHDOG_PID", "")
	return m
}

func newListeningManager(t *testing.T) *manager {
	t.Helper()
	m := newManager(t)
	m.listen()
	return m
}

func (m *manager) listen() {
	m.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := conn.Read(buf)
			if err != nil {
				return // the test has ended
			}
			m.mu.Lock()
			m.notifications = append(m.notifications, string(buf[:n]))
			m.mu.Unlock()
		}
	}()
}

func (m *manager) received() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.notifications)
}

// count returns how often a notification has arrived.
func (m *manager) count(notification string) (n int) {
	for _, got := range m.received() {
		if got == notification {
			n++
		}
	}
	return n
}

// await waits until a notification has arrived.
func (m *manager) await(notification string) {
	m.t.Helper()
	m.awaitTimes(notification, 1)
}

// awaitTimes waits until a notification has arrived a number of times.
func (m *manager) awaitTimes(notification string, times int) {
	m.t.Helper()
	m.awaitCondition(fmt.Sprintf("%s, %d times", notification, times), func() bool { return m.count(notification) >= times })
}

// awaitCondition waits until the condition is true. The text what describes the condition in the failure.
func (m *manager) awaitCondition(what string, condition func() bool) {
	m.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			m.t.Fatalf("not received within 2 minutes: %s. Received:\n%s", what, strings.Join(m.received(), "\n"))
		}
	}
}

// awaitPings waits for n more watchdog pings.
func (m *manager) awaitPings(n int) {
	m.t.Helper()
	m.awaitTimes(ping, m.count(ping)+n)
}

// awaitStuck waits for a status that names the stuck part, and tests that no watchdog pings follow within a second.
func (m *manager) awaitStuck(part string) {
	m.t.Helper()
	isStuck := func(notification string) bool {
		return strings.HasPrefix(notification, "STATUS="+part+" is stuck: no progress since ")
	}
	m.awaitCondition("STATUS of the stuck "+part, func() bool { return slices.ContainsFunc(m.received(), isStuck) })
	before := m.count(ping)
	pause := time.NewTimer(time.Second)
	defer pause.Stop()
	<-pause.C
	if n := m.count(ping) - before; n > 0 {
		m.t.Errorf("got %d pings in a second in which %s was stuck, want none", n, part)
	}
}

const ping = "WATCHDOG=1" // the notification of a watchdog ping

// run starts a bridge with a meter at each of the ports, a new systemd.Output and other outputs. The bridge runs until stop is called or the
// test ends.
func run(t *testing.T, log io.Writer, ports []*port, others ...bridge.Output) (stop func()) {
	t.Helper()
	return runWith(t, systemd.New(), log, ports, others...)
}

// runWith starts a bridge like run, but with the given systemd.Output.
func runWith(t *testing.T, tested *systemd.Output, log io.Writer, ports []*port, others ...bridge.Output) (stop func()) {
	t.Helper()
	b := bridge.New(zerolog.New(log))
	for i, p := range ports {
		addMeter(t, b, bridge.Meter{ID: string(rune('a' + i))}, probe.Source{Endpoints: probe.Fixed(probe.Endpoint{Port: "simulated", Dial: p.dial})})
	}
	for _, o := range others {
		b.AddOutput("other", o)
	}
	b.AddOutput("systemd", tested)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(2 * time.Minute):
			t.Error("the bridge still runs 2 minutes after its context has ended")
		}
	})
	t.Cleanup(stop)
	return stop
}

// A port simulates the port of a meter. The zero port cannot be opened.
type port struct {
	meter   *simulate.Meter
	writers chan *io.PipeWriter // receives the writer of each new connection
	writer  *io.PipeWriter      // the writer of the current connection
}

func newPort(t *testing.T) *port {
	t.Helper()
	f, ok := simulate.Named("aidon-se")
	if !ok {
		t.Fatal("no family aidon-se")
	}
	return &port{meter: simulate.NewMeter(f, 1, time.Now()), writers: make(chan *io.PipeWriter, 1)}
}

func (p *port) dial(context.Context) (io.ReadCloser, error) {
	if p.meter == nil {
		return nil, io.ErrUnexpectedEOF
	}
	r, writer := io.Pipe()
	p.writers <- writer
	return r, nil
}

// send sends the next telegram and returns when the bridge has read the telegram.
func (p *port) send() {
	if p.writer == nil {
		p.writer = <-p.writers
	}
	_, telegram := p.meter.Next()
	_, _ = p.writer.Write(bytes.Clone(telegram)) // fails when the bridge has ended
}
