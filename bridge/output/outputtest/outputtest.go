// Package outputtest is the conformance test that every output passes. It drives a real bridge with a simulated meter.
package outputtest

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// A Factory makes an output for one test, and returns with it what tells what it has delivered so far. What it opens it closes
// with t.Cleanup.
type Factory func(t *testing.T) (bridge.Output, Delivered)

// Delivered tells what an output has delivered so far. Its functions may be called from any goroutine.
type Delivered struct {
	// Values returns the newest text of each quantity by its name.
	Values func() map[string]string
	// Events returns the names of all events in their order; nil for an output that has no place for them.
	Events func() []string
}

// Meter is the ID of the meter that the tests simulate.
const Meter = "house"

// patience ends a wait for what will never happen. It says nothing about how fast an output is.
const patience = 2 * time.Minute

// Run tests an output. The tests count goroutines: do not run them in parallel with others.
func Run(t *testing.T, start Factory) {
	t.Helper()
	t.Run("delivers values", func(t *testing.T) { testDelivers(t, start) })
	t.Run("stops at once with nothing to deliver", func(t *testing.T) { testIdle(t, start) })
	t.Run("delivers the rest when it is stopped", func(t *testing.T) { testRest(t, start) })
	t.Run("takes every telegram of a recording", func(t *testing.T) { testRecording(t, start) })
	t.Run("goes on over another profile", func(t *testing.T) { testProfile(t, start) })
	t.Run("says when it waits", func(t *testing.T) { testWaits(t, start) })
	t.Run("leaves nothing behind", func(t *testing.T) { testLeaves(t, start) })
}

func testDelivers(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	for range 2 {
		want := w.send()
		if got, ok := until(func() (map[string]string, bool) { g := shown.Values(); return g, maps.Equal(g, want) }); !ok {
			t.Fatal("values (-want +got):\n" + cmp.Diff(want, got))
		}
	}
}

func testIdle(t *testing.T, start Factory) {
	o, _ := start(t)
	r := run(t, o, probe.Source{Endpoints: newWire().endpoints()})
	_ = r.stop() // it may say that it was still connecting
}

// testRest brings the last telegram and the stop in one moment, while the output is about to wait for either, again and
// again: one that leaves as soon as it is to stop loses the telegram sooner or later.
func testRest(t *testing.T, start Factory) {
	for range 10 {
		o, shown := start(t)
		w, g := newWire(), &gate{Output: o}
		r := run(t, g, probe.Source{Endpoints: w.endpoints()})
		w.send()
		begun(t, shown)
		var want map[string]string
		woken := make(chan struct{})
		g.arm(func() {
			<-woken // the output may be at the gate before it is woken
			want = w.send()
			w.drain(t)
			r.cancel()
		})
		w.send() // the output wakes up, and comes to the gate
		close(woken)
		if err := r.wait(); err != nil {
			t.Errorf("got %v from an output that was stopped, want no error", err)
		}
		if diff := cmp.Diff(want, shown.Values()); diff != "" {
			t.Fatal("values after the stop (-want +got):\n" + diff)
		}
	}
}

// testRecording ends only when the output has taken all telegrams, and said so by taking once more.
func testRecording(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	var want map[string]string
	for range 20 {
		want = w.send()
	}
	close(w.telegrams)
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: Meter}, probe.Source{Recorded: true, Endpoints: w.endpoints()})
	b.AddOutput("tested", o)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the recording does not come to its end: %v", err)
	}
	if diff := cmp.Diff(want, shown.Values()); diff != "" {
		t.Error("values at the end (-want +got):\n" + diff)
	}
}

// testProfile has a meter whose owner changes its profile: values go on, and the change is told once by outputs that tell events.
func testProfile(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	begun(t, shown)
	w.meter = newMeter("p1-se-aidon")
	var want map[string]string
	for range 5 {
		want = w.send()
	}
	all := func() (map[string]string, bool) {
		got := shown.Values()
		both := maps.Clone(got) // what only the old profile sends stays as it was
		maps.Copy(both, want)
		return got, maps.Equal(both, got)
	}
	if got, ok := until(all); !ok {
		t.Error("values of the new profile (-want +got):\n" + cmp.Diff(want, got))
	}
	if shown.Events == nil {
		return
	}
	told := []string{bridge.ProfileChanged}
	if got, ok := until(func() ([]string, bool) { g := shown.Events(); return g, slices.Equal(g, told) }); !ok {
		t.Error("events (-want +got):\n" + cmp.Diff(told, got))
	}
}

// testWaits wants an output that has delivered everything to say that it waits: else it would count as stuck some time later.
func testWaits(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	begun(t, shown)
	if got, ok := until(func() (any, bool) { p := r.tested.feed.Load().Health()[0]; return p, p.Working == 0 }); !ok {
		t.Errorf("got %+v, want an output that waits", got)
	}
}

func testLeaves(t *testing.T, start Factory) {
	o, shown := start(t)
	before := runtime.NumGoroutine()
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	w.send()
	begun(t, shown)
	_ = r.stop()
	after, ok := until(func() (int, bool) { n := runtime.NumGoroutine(); return n, n <= before })
	if !ok {
		stacks := make([]byte, 1<<20)
		t.Errorf("got %d goroutines after Run, want the %d of before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// begun waits for the first value.
func begun(t *testing.T, shown Delivered) {
	t.Helper()
	if _, ok := until(func() (int, bool) { n := len(shown.Values()); return n, n > 0 }); !ok {
		t.Fatal("no value is delivered")
	}
}

// running is a bridge with the output.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
	tested *watched
}

func run(t *testing.T, o bridge.Output, s probe.Source) *running {
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: Meter, Name: "House"}, s)
	r := &running{t: t, done: make(chan error, 1), tested: &watched{Output: o}}
	b.AddOutput("tested", r.tested)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() { r.done <- b.Run(ctx) }()
	return r
}

// stop ends the bridge and gives the error that the output returned. It fails the test when the output takes its time.
func (r *running) stop() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

func (r *running) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("the bridge ends with %v, want no error", err)
		}
	case <-time.After(patience):
		r.t.Fatalf("the output has not returned %v after the stop", patience)
	}
	return r.tested.err
}

// watched keeps what the output's last Run was given and returned.
type watched struct {
	bridge.Output
	feed atomic.Pointer[bridge.Feed]
	err  error
}

// Run runs the output.
func (w *watched) Run(ctx context.Context, feed *bridge.Feed) error {
	w.feed.Store(feed)
	w.err = w.Output.Run(ctx, feed)
	return w.err
}

// until looks again and again until ok or patience is over.
func until[T any](look func() (T, bool)) (got T, ok bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		if got, ok = look(); ok || time.Now().After(deadline) {
			return got, ok
		}
	}
}
