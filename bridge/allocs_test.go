package bridge

import (
	"bytes"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestAcceptAllocations checks that accept allocates no memory for a telegram with rising counters. The telegram goes to two feeds and into the
// stored state. An output takes the batches of only one of the feeds.
func TestAcceptAllocations(t *testing.T) {
	for _, name := range []string{"aidon-se", "p1-se-aidon"} {
		t.Run(name, func(t *testing.T) {
			checkAllocations(t, name, throttle.Realtime)
			checkAllocations(t, name, throttle.Balanced)
		})
	}
}

// checkAllocations checks one family with one preset of the throttle.
func checkAllocations(t *testing.T, name string, preset throttle.Preset) {
	t.Helper()
	family, ok := simulate.Named(name)
	if !ok {
		t.Fatal("no such family")
	}
	_, telegram := simulate.NewMeter(family, 1, time.Now()).Next()
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		t.Fatal(err)
	}
	store := state.Open(t.TempDir(), zerolog.Nop())
	defer store.Close()
	meters, j := []Meter{{ID: "house"}}, newJournal(4)
	takenFeed, otherFeed := newFeed(meters, j), newFeed(meters, j)
	b := New(zerolog.Nop())
	b.SetPlan(throttle.NewPlan(preset))
	b.store = store
	b.AddMeter(meters[0], probe.Source{})
	p := newPipeline(b, 0, []*Feed{takenFeed, otherFeed}, j)
	p.startLiveness()
	defer p.liveness.timer.Stop()
	for range 2 * minGapCount { // until the descriptors and the interval are learned
		p.accept(t.Context(), r)
	}
	got := testing.AllocsPerRun(100, func() { // calls the function 101 times
		for i := range r.Samples {
			if s := &r.Samples[i]; s.ID.Row().StateClass == quantity.TotalIncreasing {
				s.Value, _ = s.Value.Add(obis.Decimal{Coef: 1, Exp: -3})
			}
		}
		p.accept(t.Context(), r)
		for takenFeed.Take() != nil {
		}
	})
	if got != 0 {
		t.Errorf("%v: got %v allocations per telegram, want 0", preset, got)
	}
	if want := uint64(100 + 1 + 2*minGapCount); p.stats().Telegrams != want || p.stats().Rejected > 0 {
		t.Errorf("%v: got %d telegrams accepted and %d values rejected, want %d and none", preset, p.stats().Telegrams, p.stats().Rejected, want)
	}
}
