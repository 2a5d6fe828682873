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

// A Factory returns an output for one test, and functions that return the values and events that the output has delivered. The Factory uses
// t.Cleanup to release the resources that it opens.
type Factory func(t *testing.T) (bridge.Output, Delivered)

// Delivered has functions that return the values and events that an output has delivered so far. The functions must be safe for concurrent use.
type Delivered struct {
	// Values returns the newest text of each quantity, keyed by the name of the quantity.
	Values func() map[string]string
	// Events returns the names of all events in their order. It is nil for an output that delivers no events.
	Events func() []string
}

// Meter is the id of the meter that the tests simulate.
const Meter = "house"

// waitLimit is how long a test waits before it fails. It is not a requirement on the speed of an output.
const waitLimit = 2 * time.Minute

// Run tests an output. Its tests count goroutines, so they must not run in parallel with other tests.
func Run(t *testing.T, start Factory) {
	t.Helper()
	t.Run("delivers values", func(t *testing.T) { testDelivers(t, start) })
	t.Run("stops at once with nothing to deliver", func(t *testing.T) { testStopsIdle(t, start) })
	t.Run("delivers the last telegram when it is stopped", func(t *testing.T) { testDeliversLastTelegram(t, start) })
	t.Run("takes every telegram of a recording", func(t *testing.T) { testRecording(t, start) })
	t.Run("continues after a change of the profile", func(t *testing.T) { testProfileChange(t, start) })
	t.Run("reports when it waits", func(t *testing.T) { testReportsWaiting(t, start) })
	t.Run("ends all its goroutines", func(t *testing.T) { testLeavesNoGoroutines(t, start) })
}

// testDelivers tests that an output delivers the values of each telegram.
func testDelivers(t *testing.T, start Factory) {
	o, delivered := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	for range 2 {
		want := w.send()
		if got, ok := pollUntil(func() (map[string]string, bool) { g := delivered.Values(); return g, maps.Equal(g, want) }); !ok {
			t.Fatal("values (-want +got):\n" + cmp.Diff(want, got))
		}
	}
}

// testStopsIdle tests that an output that has received nothing returns when its context ends.
func testStopsIdle(t *testing.T, start Factory) {
	o, _ := start(t)
	r := run(t, o, probe.Source{Endpoints: newWire().endpoints()})
	_ = r.stop() // an error is allowed, because the output was possibly still connecting
}

// testDeliversLastTelegram tests that an output delivers the last telegram when its context ends at the same time as the telegram arrives. An
// output that returns as soon as its context ends, without taking the last batch, most likely loses the telegram in one of the ten attempts.
func testDeliversLastTelegram(t *testing.T, start Factory) {
	for range 10 {
		o, delivered := start(t)
		w, g := newWire(), &stopGate{Output: o}
		r := run(t, g, probe.Source{Endpoints: w.endpoints()})
		w.send()
		awaitFirstValue(t, delivered)
		var want map[string]string
		firstSent := make(chan struct{})
		g.arm(func() {
			<-firstSent // Done is possibly called before the telegram below is sent
			want = w.send()
			w.drain(t)
			r.cancel()
		})
		w.send() // the output delivers it, and then calls Done
		close(firstSent)
		if err := r.wait(); err != nil {
			t.Errorf("got %v from an output that was stopped, want no error", err)
		}
		if diff := cmp.Diff(want, delivered.Values()); diff != "" {
			t.Fatal("values after the stop (-want +got):\n" + diff)
		}
	}
}

// testRecording tests that the bridge ends after a recording. The bridge ends only when the output has taken every telegram, and has called
// Take once more.
func testRecording(t *testing.T, start Factory) {
	o, delivered := start(t)
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
		t.Fatalf("the bridge does not end after the recording: %v", err)
	}
	if diff := cmp.Diff(want, delivered.Values()); diff != "" {
		t.Error("values at the end (-want +got):\n" + diff)
	}
}

// testProfileChange tests a meter that changes its profile. Its values must still be delivered. An output that delivers events must deliver
// the change as one event.
func testProfileChange(t *testing.T, start Factory) {
	o, delivered := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	awaitFirstValue(t, delivered)
	w.meter = newMeter("p1-se-aidon")
	var want map[string]string
	for range 5 {
		want = w.send()
	}
	hasNewValues := func() (map[string]string, bool) {
		got := delivered.Values()
		expected := maps.Clone(got) // values that only the old profile sends do not change
		maps.Copy(expected, want)
		return got, maps.Equal(expected, got)
	}
	if got, ok := pollUntil(hasNewValues); !ok {
		t.Error("values of the new profile (-want +got):\n" + cmp.Diff(want, got))
	}
	if delivered.Events == nil {
		return
	}
	events := []string{bridge.ProfileChanged}
	if got, ok := pollUntil(func() ([]string, bool) { g := delivered.Events(); return g, slices.Equal(g, events) }); !ok {
		t.Error("events (-want +got):\n" + cmp.Diff(events, got))
	}
}

// testReportsWaiting tests that an output that has delivered everything reports that it waits. Otherwise the bridge would report the
// output as stuck some time later.
func testReportsWaiting(t *testing.T, start Factory) {
	o, delivered := start(t)
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	defer func() { _ = r.stop() }()
	w.send()
	awaitFirstValue(t, delivered)
	if got, ok := pollUntil(func() (any, bool) { p := r.output.feed.Load().Health()[0]; return p, p.Working == 0 }); !ok {
		t.Errorf("got %+v, want an output that waits", got)
	}
}

// testLeavesNoGoroutines tests that no goroutine of an output remains after Run.
func testLeavesNoGoroutines(t *testing.T, start Factory) {
	o, delivered := start(t)
	before := runtime.NumGoroutine()
	w := newWire()
	r := run(t, o, probe.Source{Endpoints: w.endpoints()})
	w.send()
	awaitFirstValue(t, delivered)
	_ = r.stop()
	after, ok := pollUntil(func() (int, bool) { n := runtime.NumGoroutine(); return n, n <= before })
	if !ok {
		stacks := make([]byte, 1<<20)
		t.Errorf("got %d goroutines after Run, want the %d from before Run:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// awaitFirstValue waits until the output has delivered a value.
func awaitFirstValue(t *testing.T, delivered Delivered) {
	t.Helper()
	if _, ok := pollUntil(func() (int, bool) { n := len(delivered.Values()); return n, n > 0 }); !ok {
		t.Fatal("no value is delivered")
	}
}

// A runningBridge is a bridge that runs with the output.
type runningBridge struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error // receives the error of the bridge
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
func (r *recordingOutput) Run(ctx context.Context, feed *bridge.Feed) error {
	r.feed.Store(feed)
	r.err = r.Output.Run(ctx, feed)
	return r.err
}

// pollUntil calls poll every millisecond until poll returns true or waitLimit is over. It returns the last results of poll.
func pollUntil[T any](poll func() (T, bool)) (got T, ok bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(waitLimit); ; <-tick.C {
		if got, ok = poll(); ok || time.Now().After(deadline) {
			return got, ok
		}
	}
}
