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
)

// outputtest asks each output for the values that it has delivered. This one delivers none, so what else is asked there is
// asked here: that it stops, takes every telegram, and comes back after a failure.

const (
	ready    = "READY=1"
	stopping = "STOPPING=1"
	waiting  = "STATUS=waiting for the first telegram"
)

func TestWanted(t *testing.T) {
	for socket, want := range map[string]bool{"": false, "/run/systemd/notify": true, "@abstract": true} {
		t.Setenv("NOTIFY_SOCKET", socket)
		if got := systemd.Enabled(); got != want {
			t.Errorf("with NOTIFY_SOCKET=%q: got %v, want %v", socket, got, want)
		}
	}
}

func TestReadyWithTheFirstTelegram(t *testing.T) {
	m, w := listening(t), newWire(t)
	h := run(t, io.Discard, []*wire{w})
	m.awaits(waiting)
	m.awaitsPings(3)
	if n := m.count(ready); n != 0 {
		t.Fatal("ready before the first telegram")
	}
	w.send()
	m.awaits(ready)
	m.awaits("STATUS=meter online, telegrams: 1")
	w.send()
	m.awaitsPings(3)
	h.stop()
	m.awaits(stopping)
	told := m.heard()
	if n := m.count(ready); n != 1 {
		t.Errorf("told %d times that it is ready, want once: %q", n, told)
	}
	if last := told[len(told)-1]; last != stopping {
		t.Errorf("last of all: got %q, want %q", last, stopping)
	}
}

func TestReadyWithTheFirstOfSeveralMeters(t *testing.T) {
	m, mute, speaks := listening(t), newWire(t), newWire(t)
	run(t, io.Discard, []*wire{mute, speaks})
	speaks.send()
	m.awaits(ready)
	m.awaits("STATUS=1 of 2 meters online, telegrams: 1")
	mute.send()
	m.awaits("STATUS=2 of 2 meters online, telegrams: 2")
}

func TestStopsWithNothingToTell(t *testing.T) {
	m := listening(t)
	h := run(t, io.Discard, []*wire{{}})
	m.awaits(waiting)
	h.stop()
	m.awaits(stopping)
	if m.count(ready) != 0 {
		t.Error("it was ready, without any telegram")
	}
}

// TestWithoutWatchdog is a unit without WatchdogSec.
func TestWithoutWatchdog(t *testing.T) {
	m, w := listening(t), newWire(t)
	t.Setenv("WATCHDOG_USEC", "")
	h := run(t, io.Discard, []*wire{w})
	w.send()
	m.awaits(ready)
	h.stop()
	m.awaits(stopping)
	if n := m.count(ping); n != 0 {
		t.Errorf("got %d pings that nobody asked for", n)
	}
}

// TestManagerComesLate: what could not be told is told as soon as somebody listens.
func TestManagerComesLate(t *testing.T) {
	m, w := newManager(t), newWire(t)
	log := &heard{text: "output interrupted", found: make(chan struct{})}
	run(t, log, []*wire{w})
	w.send()
	<-log.found
	m.listen()
	m.awaits(ready)
	m.awaits("STATUS=meter online, telegrams: 1")
	m.awaitsPings(2)
}

// TestPingsGoOn: a restart mends neither a silent meter nor a broker that is away.
func TestPingsGoOn(t *testing.T) {
	fails := output(func(context.Context, *bridge.Feed) error { return errors.New("the broker is away") })
	deaf := output(func(ctx context.Context, feed *bridge.Feed) error { feed.Ready(); <-ctx.Done(); return nil })
	for name, row := range map[string]struct {
		wire   *wire
		others []bridge.Output
	}{
		"silent meter":           {wire: newWire(t)},
		"port that is not there": {wire: &wire{}},
		"output that fails":      {wire: newWire(t), others: []bridge.Output{fails}},
		"output that waits":      {wire: newWire(t), others: []bridge.Output{deaf}},
	} {
		t.Run(name, func(t *testing.T) {
			m := listening(t)
			runWith(t, systemd.NewStuckAfter(soonStuck), io.Discard, []*wire{row.wire}, row.others...)
			if row.others != nil {
				row.wire.send()
				m.awaits(ready)
			}
			m.awaitsPings(10)
		})
	}
}

// soonStuck is long enough for a part that is not stuck to get on, mostly: one that does not costs a few pings.
const soonStuck = 50 * time.Millisecond

// TestPingsEndWhenAMeterIsStuck has a log that takes no more, so that the meter's goroutine does not get on.
func TestPingsEndWhenAMeterIsStuck(t *testing.T) {
	m, w := listening(t), newWire(t)
	log := &heard{text: "meter speaks", found: make(chan struct{}), hold: make(chan struct{})}
	runWith(t, systemd.NewStuckAfter(soonStuck), log, []*wire{w})
	release := sync.OnceFunc(func() { close(log.hold) })
	t.Cleanup(release) // before the bridge is stopped
	m.awaitsPings(2)
	w.send()
	<-log.found
	m.awaitsStuck("meter a")
	release()
	m.awaitsPings(2)
	m.awaits("STATUS=meter online, telegrams: 1")
}

// TestPingsEndWhenAnOutputIsStuck has one that never comes back from its work.
func TestPingsEndWhenAnOutputIsStuck(t *testing.T) {
	m, w, free := listening(t), newWire(t), make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	blocks := output(func(ctx context.Context, feed *bridge.Feed) error {
		<-feed.Ready()
		feed.Take()
		<-free
		<-feed.Ready()
		<-ctx.Done()
		return nil
	})
	runWith(t, systemd.NewStuckAfter(soonStuck), io.Discard, []*wire{w}, blocks)
	t.Cleanup(release) // before the bridge is stopped
	m.awaitsStuck("output other")
	release()
	w.send()
	m.awaitsPings(2)
	m.awaits("STATUS=meter online, telegrams: 1")
}

// TestRecordingIsTaken ends only when every output has taken all telegrams.
func TestRecordingIsTaken(t *testing.T) {
	m, w := listening(t), newWire(t)
	var recording bytes.Buffer
	for range 600 { // more than an output may be behind
		_, telegram := w.meter.Next()
		recording.Write(telegram)
	}
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: "a"}, probe.Source{Recorded: true, Endpoints: probe.Fixed(probe.Endpoint{
		Dial: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(&recording), nil },
	})})
	b.AddOutput("systemd", systemd.New())
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the recording does not come to its end: %v, %v", err, ctx.Err())
	}
	m.awaits(stopping)
	status := func(told string) bool { return strings.HasPrefix(told, "STATUS=") }
	told := slices.DeleteFunc(m.heard(), func(told string) bool { return told == ping })
	if n := len(slices.DeleteFunc(slices.Clone(told), func(t string) bool { return !status(t) })); n > 3 {
		t.Errorf("told %d times how it is, want a few times a minute at most: %q", n, told)
	}
}

// An output made of a function.
type output func(ctx context.Context, feed *bridge.Feed) error

func (o output) Run(ctx context.Context, feed *bridge.Feed) error { return o(ctx, feed) }

// heard is a log that waits for a line with a text, and then, if it has a hold, takes nothing until that is closed.
type heard struct {
	text  string
	found chan struct{}
	hold  chan struct{}
	once  sync.Once
}

// Write takes a line.
func (h *heard) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(h.text)) {
		h.once.Do(func() { close(h.found) })
		if h.hold != nil {
			<-h.hold
		}
	}
	return len(line), nil
}
