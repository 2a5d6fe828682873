package estimate_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/estimate"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestEstimate compares with a day of telegrams that is read in full.
func TestEstimate(t *testing.T) {
	tests := []struct {
		family string
		preset throttle.Preset
		every  time.Duration
	}{
		{"aidon-se", throttle.Balanced, time.Second},
		{"aidon-se", throttle.Frugal, 10 * time.Second},
		{"p1-nl-5", throttle.Balanced, 2 * time.Second},
		{"aidon-se", throttle.Realtime, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.family+" "+tt.preset.String()+" "+tt.every.String(), func(t *testing.T) {
			t.Parallel()
			plan := throttle.NewPlan(tt.preset)
			day := readDay(t, plan, tt.family, tt.every)
			var sent []estimate.Quantity
			for _, q := range day {
				if q.telegrams > 0 {
					sent = append(sent, estimate.Quantity{ID: q.id, Decimals: q.decimals})
				}
			}
			var states, changes, wantStates, wantChanges int
			for i, load := range estimate.Day(plan, sent, tt.every) {
				q := day[sent[i].ID]
				if load.ID != q.id || load.Throttled < 1 || load.Throttled > load.EveryTelegram || load.EveryTelegram > q.telegrams {
					t.Errorf("%v: got %+v, a day had %d states, %d changes", q.id, load, q.states, q.changes)
				}
				states, wantStates = states+load.Throttled, wantStates+q.states
				changes, wantChanges = changes+load.EveryTelegram, wantChanges+q.changes
			}
			near(t, "states", states, wantStates)
			near(t, "with every telegram", changes, wantChanges)
		})
	}
}

func near(t *testing.T, what string, got, want int) {
	t.Helper()
	t.Logf("%s: %d estimated, %d on a day in March", what, got, want)
	if got*100 < want*80 || got*100 > want*120 {
		t.Errorf("%s: got %d, want %d to a fifth", what, got, want)
	}
}

// TestEstimateOfEveryQuantity wants a figure for each row, also for what no simulated meter sends.
func TestEstimateOfEveryQuantity(t *testing.T) {
	var sent []estimate.Quantity
	for i := range quantity.Rows() {
		sent = append(sent, estimate.Quantity{ID: quantity.ID(i), Decimals: uint8(max(quantity.Rows()[i].Decimals, 0))})
	}
	for _, load := range estimate.Day(throttle.NewPlan(throttle.Balanced), sent, 10*time.Second) {
		row := load.ID.Row()
		switch unused := strings.HasSuffix(row.Name, "_t3") || strings.HasSuffix(row.Name, "_t4"); {
		case row.Kind == quantity.Status || unused:
			if load != (estimate.DailyStates{ID: load.ID, Throttled: 1, EveryTelegram: 1}) {
				t.Errorf("%v: got %+v, want one state", load.ID, load)
			}
		case load.Throttled < 5 || load.Throttled > load.EveryTelegram || load.EveryTelegram > 8640:
			t.Errorf("%v: got %+v", load.ID, load)
		}
	}
}

func TestEstimateOfRareQuantities(t *testing.T) {
	id := quantity.ImportEnergy
	plan := throttle.NewPlan(throttle.Balanced)
	for _, tt := range []struct {
		every, own  time.Duration
		least, most int
	}{
		{time.Second, time.Hour, 15, 30},
		{10 * time.Second, time.Hour, 20, 26},
		{10 * time.Second, 15 * time.Minute, 60, 96},
		{time.Hour, 0, 16, 24},
		{24 * time.Hour, 0, 16, 24},
		{0, 0, 700, 1500},
		{-time.Second, -time.Second, 700, 1500},
	} {
		got := estimate.Day(plan, []estimate.Quantity{{ID: id, Decimals: 3, Interval: tt.own}}, tt.every)[0]
		if got.Throttled < tt.least || got.Throttled > tt.most {
			t.Errorf("each %v of a meter with a telegram each %v: got %d states, want %d to %d", tt.own, tt.every, got.Throttled, tt.least, tt.most)
		}
	}
	if got := estimate.Day(plan, nil, time.Second); len(got) != 0 {
		t.Errorf("got %v for a meter that sends nothing", got)
	}
}

// TestEstimateIsInThePublishedUnit has a counter published with each 5 kWh.
func TestEstimateIsInThePublishedUnit(t *testing.T) {
	id, plan, day := quantity.ImportEnergy, throttle.NewPlan(throttle.Balanced), 24*time.Hour
	plan.Set(id, throttle.Override{Deadband: &throttle.Deadband{Absolute: obis.Decimal{Coef: 5}}, MaxSilence: &day})
	got := estimate.Day(plan, []estimate.Quantity{{ID: id, Decimals: 3}}, 20*time.Second)[0]
	if most := 24*2 + 100/5; got.Throttled < 24 || got.Throttled > most {
		t.Errorf("got %d states, want two for most hours and one for each 5 kWh", got.Throttled)
	}
}

// A counted is what a day of telegrams brings of one quantity.
type counted struct {
	id                         quantity.ID
	decimals                   uint8
	telegrams, changes, states int
	last                       string
}

// readDay reads a day of telegrams of a family in full, one at each interval.
func readDay(t *testing.T, plan *throttle.Plan, family string, every time.Duration) []counted {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	f.Interval = every
	m := simulate.NewMeter(f, 1, time.Date(2026, time.March, 11, 23, 0, 0, 0, time.UTC))
	var wire bytes.Reader
	d, decide, all := meter.NewDecoder(nil, meter.Options{}), throttle.New(plan), make([]counted, quantity.Count())
	var room [64]byte
	for range 24 * time.Hour / every {
		at, telegram := m.Next()
		wire.Reset(telegram)
		d.Reset(&wire)
		r, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Samples {
			s := &r.Samples[i]
			q := &all[s.ID]
			if q.telegrams == 0 {
				q.id, q.decimals = s.ID, uint8(s.Decimals())
			}
			shown := append(s.Value.AppendFixed(room[:0], int(q.decimals)), s.Text...)
			if q.telegrams > 0 && string(shown) != q.last {
				q.changes++
			}
			q.last = string(shown)
			q.telegrams++
			if decide.Decide(at, every, s.ID, s.Value, q.decimals, string(s.Text)) == throttle.Publish {
				q.states++
			}
		}
	}
	return all
}

func BenchmarkDay(b *testing.B) {
	var sent []estimate.Quantity
	for i := range 30 {
		sent = append(sent, estimate.Quantity{ID: quantity.ID(i)})
	}
	for _, every := range []time.Duration{time.Second, 10 * time.Second} {
		b.Run(every.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				estimate.Day(throttle.NewPlan(throttle.Balanced), sent, every)
			}
		})
	}
}
