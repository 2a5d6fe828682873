// Package outputtest tests whether an implementation of bridge.Output does what the bridge expects. It runs a real bridge with a simulated meter.
package outputtest

import (
	"context"
	"maps"
	"runtime"
	"slices"
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
	// Events returns the names of all events in the order of their delivery. Events is nil for an output that delivers no events.
	Events func() []string
}

// Meter is the id of the meter that the tests simulate.
const Meter = "house"

// waitLimit is how long a test waits before it fails. It is not a requirement on the speed of an output.
const waitLimit = 2 * time.Minute

// Run tests an output. Its tests count goroutines, so other tests must not run in parallel.
func Run(t *testing.T, start Factory) {
	t.Helper()
	t.Run("delivers values", func(t *testing.T) { testDelivers(t, start) })
	t.Run("stops with nothing to deliver", func(t *testing.T) { testStopsIdle(t, start) })
	t.Run("delivers the last telegram when it is stopped", func(t *testing.T) { testDeliversLastTelegram(t, start) })
	t.Run("delivers the last values of a recording", func(t *testing.T) { testRecording(t, start) })
	t.Run("continues after a change of the profile", func(t *testing.T) { testProfileChange(t, start) })
	t.Run("reports that it waits", func(t *testing.T) { testReportsWaiting(t, start) })
	t.Run("ends all its goroutines", func(t *testing.T) { testLeavesNoGoroutines(t, start) })
}

// testDelivers tests that an output delivers the values of each telegram.
func testDelivers(t *testing.T, start Factory) {
	o, delivered := start(t)
	p := newMeterPort()
	r := run(t, o, probe.Source{Endpoints: p.endpoints()})
	defer func() { _ = r.stop() }()
	for range 2 {
		want := p.send()
		hasValues := func() (map[string]string, bool) {
			got := delivered.Values()
			return got, maps.Equal(got, want)
		}
		if got, ok := pollUntil(hasValues); !ok {
			t.Fatal("values (-want +got):\n" + cmp.Diff(want, got))
		}
	}
}

// testStopsIdle tests that an output that has received nothing returns when its context ends.
func testStopsIdle(t *testing.T, start Factory) {
	o, _ := start(t)
	r := run(t, o, probe.Source{Endpoints: newMeterPort().endpoints()})
	_ = r.stop() // an error is allowed, because the output was possibly still connecting
}

// testDeliversLastTelegram tests that an output delivers the last telegram if the telegram arrives at the same time as the end of the context. A
// faulty output loses the telegram only in some attempts, so there are ten attempts.
func testDeliversLastTelegram(t *testing.T, start Factory) {
	for range 10 {
		o, delivered := start(t)
		p, g := newMeterPort(), &stopGate{Output: o}
		r := run(t, g, probe.Source{Endpoints: p.endpoints()})
		p.send()
		awaitFirstValue(t, delivered)
		var want map[string]string
		triggerSent := make(chan struct{})
		g.arm(func() {
			<-triggerSent // Done is possibly called before the trigger is sent
			want = p.send()
			p.drain(t)
			r.cancel()
		})
		p.send() // the trigger: the output delivers this telegram, and then calls Done
		close(triggerSent)
		if err := r.wait(); err != nil {
			t.Errorf("got %v from an output that was stopped, want no error", err)
		}
		if diff := cmp.Diff(want, delivered.Values()); diff != "" {
			t.Fatal("values after the stop (-want +got):\n" + diff)
		}
	}
}

// testRecording tests that an output delivers the last values of a recording, and that the bridge then ends. The bridge ends only after the output
// has taken every batch.
func testRecording(t *testing.T, start Factory) {
	o, delivered := start(t)
	p := newMeterPort()
	var want map[string]string
	for range 20 {
		want = p.send()
	}
	close(p.telegrams)
	b := bridge.New(zerolog.Nop())
	if err := b.AddMeter(bridge.Meter{ID: Meter}, probe.Source{Recorded: true, Endpoints: p.endpoints()}); err != nil {
		t.Fatal(err)
	}
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

// testProfileChange tests that an output delivers the values of a meter that has changed its profile. An output that delivers events must
// deliver the change as one event.
func testProfileChange(t *testing.T, start Factory) {
	o, delivered := start(t)
	p := newMeterPort()
	r := run(t, o, probe.Source{Endpoints: p.endpoints()})
	defer func() { _ = r.stop() }()
	p.send()
	awaitFirstValue(t, delivered)
	p.meter = newMeter("p1-se-aidon")
	var want map[string]string
	for range 5 { // a single telegram of another profile is not a change
		want = p.send()
	}
	hasNewValues := func() (map[string]string, bool) {
		got := delivered.Values()
		expected := maps.Clone(got) // with the values that only the old profile sends, which are not in want
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
	hasEvents := func() ([]string, bool) {
		got := delivered.Events()
		return got, slices.Equal(got, events)
	}
	if got, ok := pollUntil(hasEvents); !ok {
		t.Error("events (-want +got):\n" + cmp.Diff(events, got))
	}
}

// testReportsWaiting tests that an output that has delivered everything reports that it waits. Otherwise the bridge would report the
// output as stuck some time later.
func testReportsWaiting(t *testing.T, start Factory) {
	o, delivered := start(t)
	p := newMeterPort()
	r := run(t, o, probe.Source{Endpoints: p.endpoints()})
	defer func() { _ = r.stop() }()
	p.send()
	awaitFirstValue(t, delivered)
	isWaiting := func() (any, bool) {
		for _, health := range r.output.subscription.Load().Health() {
			if health.Name == "output tested" {
				return health, health.Working == 0
			}
		}
		return "no such output", false
	}
	if got, ok := pollUntil(isWaiting); !ok {
		t.Errorf("health of the output: got %+v, want Working 0", got)
	}
}

// testLeavesNoGoroutines tests that no goroutine of an output remains after Run.
func testLeavesNoGoroutines(t *testing.T, start Factory) {
	o, delivered := start(t)
	before := runtime.NumGoroutine()
	p := newMeterPort()
	r := run(t, o, probe.Source{Endpoints: p.endpoints()})
	p.send()
	awaitFirstValue(t, delivered)
	_ = r.stop()
	after, ok := pollUntil(func() (int, bool) { n := runtime.NumGoroutine(); return n, n <= before })
	if !ok {
		stacks := make([]byte, 1<<20)
		t.Errorf("got %d goroutines after Run, want %d at most, as before Run:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// awaitFirstValue waits until the output has delivered a value.
func awaitFirstValue(t *testing.T, delivered Delivered) {
	t.Helper()
	if _, ok := pollUntil(func() (int, bool) { n := len(delivered.Values()); return n, n > 0 }); !ok {
		t.Fatal("no value is delivered")
	}
}

// pollUntil calls poll every millisecond until its second result is true or waitLimit is over. It returns the last results of poll.
func pollUntil[T any](poll func() (T, bool)) (got T, ok bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(waitLimit); ; <-tick.C {
		if got, ok = poll(); ok || time.Now().After(deadline) {
			return got, ok
		}
	}
}
