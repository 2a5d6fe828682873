package bridge

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestTelegramAllocations checks that a telegram with rising counters costs two allocations, the Telegram and its Values, whatever the number of
// outputs is. One output takes and delivers its batches, another one takes nothing. The state is stored.
func TestTelegramAllocations(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-se-aidon"} {
		for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced} {
			t.Run(family+" "+preset.String(), func(t *testing.T) { checkAllocations(t, family, preset) })
		}
	}
}

// checkAllocations checks one family with one preset of the throttle.
func checkAllocations(t *testing.T, family string, preset throttle.Preset) {
	t.Helper()
	b := New(zerolog.Nop())
	b.store = state.Open(t.TempDir(), zerolog.Nop())
	defer b.store.Close()
	b.journal = journalFor(10)
	for _, name := range []string{"taking", "other"} {
		s := newSubscription(name, Streams{throttle.NewPlan(preset), true}, &b.state, b.journal, b.outputProgress)
		b.outputs = append(b.outputs, namedOutput{nil, s})
	}
	m := newMeterReader(b, Meter{ID: "house"}, probe.Source{})
	for _, o := range b.outputs {
		o.subscription.addMeter(m.record)
	}
	m.liveness.start(b.clock, m.silenceAlarm)
	taking := b.outputs[0].subscription
	r := readingOf(t, family)
	next := func() {
		for i := range r.Samples {
			if s := &r.Samples[i]; s.ID.Row().StateClass == quantity.TotalIncreasing {
				s.Value, _ = s.Value.Add(obis.Decimal{Coef: 1, Exp: -3})
			}
		}
		r.Received = r.Received.Add(time.Second)
		m.Reading(t.Context(), r)
		for batch := taking.Take(); batch != nil; batch = taking.Take() {
			taking.Delivered(batch.Number)
		}
	}
	r.Received = time.Now()
	const warmUp = 200 // until the interval is learned, every slice has its size, and the journal drops telegrams for the other output
	for range warmUp {
		next()
	}
	if got := testing.AllocsPerRun(100, next); got > 2 { // calls next 101 times
		t.Errorf("got %v allocations per telegram, want 2", got)
	}
	if stats := m.liveness.stats(); stats.Telegrams != warmUp+101 || stats.Rejected > 0 {
		t.Errorf("got %d telegrams accepted and %d values rejected, want %d and none", stats.Telegrams, stats.Rejected, warmUp+101)
	}
}
