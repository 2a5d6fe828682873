package systemd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/output/systemd"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
)

// The tests of package outputtest cannot be used because systemd.Output delivers no values. So the tests below check what every output must
// do: stop, take every telegram, and run again after a failure.

const (
	ready    = "READY=1"
	stopping = "STOPPING=1"
	waiting  = "STATUS=waiting for the first telegram"
)

func TestEnabled(t *testing.T) {
	for socket, want := range map[string]bool{"": false, "/run/systemd/notify": true, "@abstract": true} {
		t.Setenv("NOTIFY_SOCKET", socket)
		if got := systemd.Enabled(); got != want {
			t.Errorf("with NOTIFY_SOCKET=%q: got %v, want %v", socket, got, want)
		}
	}
}

// TestReadyWithTheFirstTelegram tests that READY is sent once, with the first telegram, and that STOPPING is the last notification.
func TestReadyWithTheFirstTelegram(t *testing.T) {
	m, p := newListeningManager(t), newPort(t)
	stop := run(t, io.Discard, []*port{p})
	m.await(waiting)
	m.awaitPings(3)
	if n := m.count(ready); n != 0 {
		t.Fatalf("%s was sent before the first telegram", ready)
	}
	p.send()
	m.await(ready)
	m.await("STATUS=meter online, telegrams: 1")
	p.send()
	m.awaitPings(3)
	stop()
	m.await(stopping)
	received := m.received()
	if n := m.count(ready); n != 1 {
		t.Errorf("%s was sent %d times, want once: %q", ready, n, received)
	}
	if last := received[len(received)-1]; last != stopping {
		t.Errorf("last notification: got %q, want %q", last, stopping)
	}
}

// TestReadyWithTheFirstOfSeveralMeters tests that READY is sent with the first telegram of any meter.
func TestReadyWithTheFirstOfSeveralMeters(t *testing.T) {
	m, later, first := newListeningManager(t), newPort(t), newPort(t)
	run(t, io.Discard, []*port{later, first})
	first.send()
	m.await(ready)
	m.await("STATUS=1 of 2 meters online, telegrams: 1")
	later.send()
	m.await("STATUS=2 of 2 meters online, telegrams: 2")
}

// TestStopBeforeFirstTelegram tests that a bridge that stops before its first telegram never sends READY.
func TestStopBeforeFirstTelegram(t *testing.T) {
	m := newListeningManager(t)
	stop := run(t, io.Discard, []*port{{}})
	m.await(waiting)
	stop()
	m.await(stopping)
	if m.count(ready) != 0 {
		t.Errorf("%s was sent without a telegram", ready)
	}
}

// TestWithoutWatchdog tests that no pings are sent for a unit without WatchdogSec.
func TestWithoutWatchdog(t *testing.T) {
	m, p := newListeningManager(t), newPort(t)
	t.Setenv("WATCHDOG_USEC", "")
	stop := run(t, io.Discard, []*port{p})
	p.send()
	m.await(ready)
	stop()
	m.await(stopping)
	if n := m.count(ping); n != 0 {
		t.Errorf("got %d pings without a watchdog, want none", n)
	}
}

// TestManagerListensLate tests that failed notifications are sent as soon as the service manager listens.
func TestManagerListensLate(t *testing.T) {
	m, p := newManager(t), newPort(t)
	log := &blockingLog{text: "output interrupted", found: make(chan struct{})}
	run(t, log, []*port{p})
	p.send()
	<-log.found
	m.listen()
	m.await(ready)
	m.await("STATUS=meter online, telegrams: 1")
	m.awaitPings(2)
}

// TestPingsContinueWithoutTelegrams tests that the watchdog is pinged although a meter is silent or an output fails. In these cases a restart
// of the program would not help.
func TestPingsContinueWithoutTelegrams(t *testing.T) {
	failing := output(func(context.Context, *bridge.Subscription) error { return errors.New("the broker is down") })
	// The call of Ready reports that the output waits.
	idle := output(func(ctx context.Context, s *bridge.Subscription) error { s.Ready(); <-ctx.Done(); return nil })
	for name, tt := range map[string]struct {
		port   *port
		others []bridge.Output
	}{
		"silent meter":      {port: newPort(t)},
		"missing port":      {port: &port{}},
		"output that fails": {port: newPort(t), others: []bridge.Output{failing}},
		"output that waits": {port: newPort(t), others: []bridge.Output{idle}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newListeningManager(t)
			runWith(t, systemd.NewStuckAfter(shortStuckAfter), io.Discard, []*port{tt.port}, tt.others...)
			if tt.others != nil {
				tt.port.send()
				m.await(ready)
			}
			m.awaitPings(10)
		})
	}
}

// shortStuckAfter is the time without progress after which a part is stuck in these tests. On a slow machine, a part that is not stuck can
// take longer. Then only a few pings are missing.
const shortStuckAfter = 50 * time.Millisecond

// TestPingsEndWhenAMeterIsStuck tests that pings stop while the goroutine of a meter is stuck, here because the log blocks.
func TestPingsEndWhenAMeterIsStuck(t *testing.T) {
	m, p := newListeningManager(t), newPort(t)
	log := &blockingLog{text: "meter sends telegrams", found: make(chan struct{}), release: make(chan struct{})}
	runWith(t, systemd.NewStuckAfter(shortStuckAfter), log, []*port{p})
	release := sync.OnceFunc(func() { close(log.release) })
	t.Cleanup(release) // before the bridge is stopped
	m.awaitPings(2)
	p.send()
	<-log.found
	m.awaitStuck("meter a")
	release()
	m.awaitPings(2)
	m.await("STATUS=meter online, telegrams: 1")
}

// TestPingsEndWhenAnOutputIsStuck tests that pings stop while an output makes no progress.
func TestPingsEndWhenAnOutputIsStuck(t *testing.T) {
	m, p, blocked := newListeningManager(t), newPort(t), make(chan struct{})
	release := sync.OnceFunc(func() { close(blocked) })
	blocking := output(func(ctx context.Context, s *bridge.Subscription) error {
		<-s.Ready()
		s.Take()
		<-blocked
		<-s.Ready()
		<-ctx.Done()
		return nil
	})
	runWith(t, systemd.NewStuckAfter(shortStuckAfter), io.Discard, []*port{p}, blocking)
	t.Cleanup(release) // before the bridge is stopped
	m.awaitStuck("output other")
	release()
	p.send()
	m.awaitPings(2)
	m.await("STATUS=meter online, telegrams: 1")
}

// TestTakesWholeRecording tests that the output takes all telegrams of a recording. Otherwise the bridge would not end.
func TestTakesWholeRecording(t *testing.T) {
	m, p := newListeningManager(t), newPort(t)
	var recording bytes.Buffer
	for range 600 { // more telegrams than a batch has
		_, telegram := p.meter.Next()
		recording.Write(telegram)
	}
	b := bridge.New(zerolog.Nop())
	addMeter(t, b, bridge.Meter{ID: "a"}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
		Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&recording), nil },
	})})
	b.AddOutput("systemd", systemd.New())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the bridge has failed (%v), or has not ended after the recording (%v)", err, ctx.Err())
	}
	m.await(stopping)
	statuses := slices.DeleteFunc(m.received(), func(notification string) bool { return !strings.HasPrefix(notification, "STATUS=") })
	if len(statuses) > 3 { // changed counts cause at most one status a minute
		t.Errorf("got %d statuses, want at most 3: %q", len(statuses), statuses)
	}
}

// An output is a function that implements bridge.Output.
type output func(ctx context.Context, s *bridge.Subscription) error

// Streams returns that the output receives everything.
func (o output) Streams() bridge.Streams {
	return bridge.Streams{Plan: new(throttle.Plan), Telegrams: true}
}

func (o output) Run(ctx context.Context, s *bridge.Subscription) error { return o(ctx, s) }

// A blockingLog is a log that reports the first line with a text, and can block such lines.
type blockingLog struct {
	text    string
	found   chan struct{} // closed at the first line with the text
	release chan struct{} // a line with the text blocks until release is closed; nil if no line blocks
	once    sync.Once
}

// Write receives a log line.
func (b *blockingLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(b.text)) {
		b.once.Do(func() { close(b.found) })
		if b.release != nil {
			<-b.release
		}
	}
	return len(line), nil
}

// addMeter adds a meter to a bridge.
func addMeter(t *testing.T, b *bridge.Bridge, m bridge.Meter, s probe.Source) {
	t.Helper()
	if err := b.AddMeter(m, s); err != nil {
		t.Fatal(err)
	}
}
