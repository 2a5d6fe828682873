// Package outputtest is the conformance test of outputs. It runs a real bridge with a simulated meter.
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

// A Factory returns an output for one test, and functions that return what that output has delivered. It releases what it opens with t.Cleanup.
type Factory func(t *testing.T) (bridge.Output, Delivered)

// Delivered returns what an output has delivered so far. Its functions must be safe for concurrent use.
type Delivered struct {
	// Values returns the newest text of each quantity, keyed by its name.
	Values func() map[string]string
	// Events returns the names of all events in their order. It is nil for an output that delivers no events.
	Events func() []string
}

// Meter is the ID of the meter that the tests simulate.
const Meter = "house"

// waitLimit is how long a test waits before it fails. It is not a requirement on the speed of an output.
const waitLimit = 2 * time.Minute

// Run tests an output. Its tests count goroutines, so they must not run in parallel with others.
func Run(t *testing.T, start Factory) {
	t.Helper()
	t.Run("delivers values", func(t *testing.T) { testDelivers(t, start) })
	t.Run("stops at once with nothing to deliver", func(t *testing.T) { testStopsIdle(t, start) })
	t.Run("delivers the rest when it is stopped", func(t *testing.T) { testDeliversRest(t, start) })
	t.Run("takes every telegram of a recording", func(t *testing.T) { testRecording(t, start) })
	t.Run("goes on over another profile", func(t *testing.T) { testProfileChange(t, start) })
	t.Run("says when it waits", func(t *testing.T) { testReportsWaiting(t, start) })
	t.Run("leaves nothing behind", func(t *testing.T) { testLeavesNoGoroutines(t, start) })
}

// testDelivers tests that an output delivers the values of each telegram.
func testDelivers(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	for range 2 {
		want := w.send()
		if got, ok := pollUntil(func() (map[string]string, bool) { g := shown.Values(); return g, maps.Equal(g, want) }); !ok {
			t.Fatal("values (-want +got):\n" + cmp.Diff(want, got))
		}
	}
}

// testStopsIdle tests that an output that has received nothing returns when its context ends.
func testStopsIdle(t *testing.T, start Factory) {
	o, _ := start(t)
	r := run(t, o, probe.Source{Endpoints: newWire().endpoints()})
	_ = r.stop() // the error may be that it was still connecting
}

// testDeliversRest tests that an output delivers the last telegram when its context ends at the same time, while it is about to wait for
// either. An output that returns at once loses the telegram in one of the ten attempts.
func testDeliversRest(t *testing.T, start Factory) {
	for range 10 {
		o, shown := start(t)
		w, g := newWire(), &stopGate{Output: o}
		r := run(t, g, probe.Source{Endpoints: w.endpoints()})
		w.send()
		awaitFirstValue(t, shown)
		var want map[string]string
		woken := make(chan struct{})
		g.arm(func() {
			<-woken // the output may call Done before that telegram is sent
			want = w.send()
			w.drain(t)
			r.cancel()
		})
		w.send() // the output delivers it, and then calls Done
		close(woken)
		if err := r.wait(); err != nil {
			t.Errorf("got %v from an output that was stopped, want no error", err)
		}
		if diff := cmp.Diff(want, shown.Values()); diff != "" {
			t.Fatal("values after the stop (-want +got):\n" + diff)
		}
	}
}

// testRecording tests that the bridge ends after a recording. It does so only when the output has taken every telegram, and has called Take
// once more.
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
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := b.Run(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("the recording does not come to its end: %v", err)
	}
	if diff := cmp.Diff(want, shown.Values()); diff != "" {
		t.Error("values at the end (-want +got):\n" + diff)
	}
}

// testProfileChange tests a meter that changes its profile. Its values must still be delivered, and the change as one event by outputs that
// deliver events.
func testProfileChange(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	awaitFirstValue(t, shown)
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
	if got, ok := pollUntil(all); !ok {
		t.Error("values of the new profile (-want +got):\n" + cmp.Diff(want, got))
	}
	if shown.Events == nil {
		return
	}
	events := []string{bridge.ProfileChanged}
	if got, ok := pollUntil(func() ([]string, bool) { g := shown.Events(); return g, slices.Equal(g, events) }); !ok {
		t.Error("events (-want +got):\n" + cmp.Diff(events, got))
	}
}

// testReportsWaiting tests that an output that has delivered everything reports that it waits. Otherwise it would count as stuck some time
// later.
func testReportsWaiting(t *testing.T, start Factory) {
	o, shown := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	awaitFirstValue(t, shown)
	if got, ok := pollUntil(func() (any, bool) { p := r.output.feed.Load().Health()[0]; return p, p.Working == 0 }); !ok {
		t.Errorf("got %+v, want an output that waits", got)
	}
}

// testLeavesNoGoroutines tests that no goroutine of an output remains after Run.
func testLeavesNoGoroutines(t *testing.T, start Factory) {
	o, shown := start(t)
	before := runtime.NumGoroutine()
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	w.send()
	awaitFirstValue(t, shown)
	_ = r.stop()
	after, ok := pollUntil(func() (int, bool) { n := runtime.NumGoroutine(); return n, n <= before })
	if !ok {
		stacks := make([]byte, 1<<20)
		t.Errorf("got %d goroutines after Run, want the %d of before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// awaitFirstValue waits until the output has delivered a value.
func awaitFirstValue(t *testing.T, shown Delivered) {
	t.Helper()
	if _, ok := pollUntil(func() (int, bool) { n := len(shown.Values()); return n, n > 0 }); !ok {
		t.Fatal("no value is delivered")
	}
}

// A runningBridge is a bridge that runs with the output.
type runningBridge struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
	output *recordingOutput
}

// run starts a bridge with a meter and the output.
func run(t *testing.T, o bridge.Output, s probe.Source) *runningBridge {
	b := bridge.New(zerolog.Nop())
	b.AddMeter(bridge.Meter{ID: Meter, Name: "House"}, s)
	r := &runningBridge{t: t, done: make(chan error, 1), output: &recordingOutput{Output: o}}
	b.AddOutput("tested", r.output)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() { r.done <- b.Run(ctx) }()
	return r
}

// stop ends the bridge and returns the error that the output returned. It fails the test if the output does not return within waitLimit.
func (r *runningBridge) stop() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

// wait waits for the end of the bridge and returns the error that the output returned.
func (r *runningBridge) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("the bridge ends with %v, want no error", err)
		}
	case <-time.After(waitLimit):
		r.t.Fatalf("the output has not returned %v after the stop", waitLimit)
	}
	return r.output.err
}

// A recordingOutput records the feed and the error of the output's last Run.
type recordingOutput struct {
	bridge.Output
	feed atomic.Pointer[bridge.Feed]
	err  error
}

// Run runs the output.
func (w *recordingOutput) Run(ctx context.Context, feed *bridge.Feed) error {
	w.feed.Store(feed)
	w.err = w.Output.Run(ctx, feed)
	return w.err
}

// pollUntil calls poll every millisecond until it returns true or waitLimit is over.
func pollUntil[T any](poll func() (T, bool)) (got T, ok bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(waitLimit); ; <-tick.C {
		if got, ok = poll(); ok || time.Now().After(deadline) {
			return got, ok
		}
	}
}
