package estimate_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/estimate"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestDay tests that the estimate differs by at most a fifth from the number of states that all telegrams of a day cause.
func TestDay(t *testing.T) {
	tests := []struct {
		family   string
		preset   throttle.Preset
		interval time.Duration
	}{
		{"aidon-se", throttle.Balanced, time.Second},
		{"aidon-se", throttle.Frugal, 10 * time.Second},
		{"p1-nl-5", throttle.Balanced, 2 * time.Second},
		{"aidon-se", throttle.Realtime, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.family+" "+tt.preset.String()+" "+tt.interval.String(), func(t *testing.T) {
			t.Parallel()
			plan := throttle.NewPlan(tt.preset)
			day := countDay(t, plan, tt.family, tt.interval)
			var quantities []estimate.Quantity
			for _, q := range day {
				if q.telegrams > 0 {
					quantities = append(quantities, estimate.Quantity{ID: q.id, Decimals: q.decimals})
				}
			}
			var states, changes, wantStates, wantChanges int
			for i, got := range estimate.New(plan).Day(quantities, tt.interval) {
				q := day[quantities[i].ID]
				if got.ID != q.id || got.Throttled < 1 || got.Throttled > got.EveryTelegram || got.EveryTelegram > q.telegrams {
					t.Errorf("%v: got estimate %+v, but a complete day had %d telegrams, %d states and %d changes", q.id, got, q.telegrams, q.states, q.changes)
				}
				states, wantStates = states+got.Throttled, wantStates+q.states
				changes, wantChanges = changes+got.EveryTelegram, wantChanges+q.changes
			}
			checkWithinFifth(t, "throttled", states, wantStates)
			checkWithinFifth(t, "every telegram", changes, wantChanges)
		})
	}
}

// checkWithinFifth checks that got differs from want by at most a fifth.
func checkWithinFifth(t *testing.T, name string, got, want int) {
	t.Helper()
	t.Logf("%s: estimated %d states, a complete day had %d", name, got, want)
	if got*100 < want*80 || got*100 > want*120 {
		t.Errorf("%s: got %d states, want %d within a fifth", name, got, want)
	}
}

// TestDayOfEveryQuantity tests that there is an estimate for each quantity, even if no simulated meter sends it.
func TestDayOfEveryQuantity(t *testing.T) {
	var quantities []estimate.Quantity
	for i := range quantity.Rows() {
		quantities = append(quantities, estimate.Quantity{ID: quantity.ID(i), Decimals: uint8(max(quantity.Rows()[i].Decimals, 0))})
	}
	for _, got := range estimate.New(throttle.NewPlan(throttle.Balanced)).Day(quantities, 10*time.Second) {
		row := got.ID.Row()
		switch isUnusedTariff := strings.HasSuffix(row.Name, "_t3") || strings.HasSuffix(row.Name, "_t4"); {
		case row.Kind == quantity.Status || isUnusedTariff:
			if got != (estimate.DailyStates{ID: got.ID, Throttled: 1, EveryTelegram: 1}) {
				t.Errorf("%v: got %+v, want one state", got.ID, got)
			}
		case got.Throttled < 5 || got.Throttled > got.EveryTelegram || got.EveryTelegram > 8640: // 8640 telegrams of 10 s are a day
			t.Errorf("%v: got %+v, want at least 5 states, and not more than with every telegram", got.ID, got)
		}
	}
}

// TestDayOfIntervals tests that the number of states fits the interval of the quantity, and that intervals below 1 s or above 1 h are limited.
func TestDayOfIntervals(t *testing.T) {
	id := quantity.ImportEnergy
	plan := throttle.NewPlan(throttle.Balanced)
	for _, tt := range []struct {
		telegrams, quantity  time.Duration // intervals
		minStates, maxStates int
	}{
		{time.Second, time.Hour, 15, 30}, // a counter that is sent hourly changes up to 24 times a day
		{10 * time.Second, time.Hour, 20, 26},
		{10 * time.Second, 15 * time.Minute, 60, 96},
		{time.Hour, 0, 16, 24},
		{24 * time.Hour, 0, 16, 24},
		{0, 0, 700, 1500}, // a telegram each second
		{-time.Second, -time.Second, 700, 1500},
	} {
		got := estimate.New(plan).Day([]estimate.Quantity{{ID: id, Decimals: 3, Interval: tt.quantity}}, tt.telegrams)[0]
		if got.Throttled < tt.minStates || got.Throttled > tt.maxStates {
			t.Errorf("quantity every %v, telegram every %v: got %d states, want %d to %d", tt.quantity, tt.telegrams, got.Throttled, tt.minStates, tt.maxStates)
		}
	}
	if got := estimate.New(plan).Day(nil, time.Second); len(got) != 0 {
		t.Errorf("meter without quantities: got %v, want nothing", got)
	}
}

// TestDayUsesPublishedUnit tests that a deadband of 5 means 5 kWh for a counter.
func TestDayUsesPublishedUnit(t *testing.T) {
	id, plan, day := quantity.ImportEnergy, throttle.NewPlan(throttle.Balanced), 24*time.Hour
	plan.Set(id, throttle.Override{Deadband: &throttle.Deadband{Absolute: obis.Decimal{Coef: 5}}, MaxSilence: &day})
	got := estimate.New(plan).Day([]estimate.Quantity{{ID: id, Decimals: 3}}, 20*time.Second)[0]
	// One or two states for each hour, and one state for each 5 kWh. The household uses at most 100 kWh a day.
	if limit := 24*2 + 100/5; got.Throttled < 24 || got.Throttled > limit {
		t.Errorf("got %d states, want 24 to %d", got.Throttled, limit)
	}
}

// TestDaySimulatesOnce tests that meters that send the same quantities at the same intervals need one simulation, and that an estimate does not
// depend on the other quantities or on earlier estimates.
func TestDaySimulatesOnce(t *testing.T) {
	plan := throttle.NewPlan(throttle.Balanced)
	e := estimate.New(plan)
	quantities := []estimate.Quantity{{ID: quantity.ImportPower}, {ID: quantity.ImportEnergy, Decimals: 3, Interval: time.Hour}}
	first := e.Day(quantities, 10*time.Second)
	for range 1000 {
		if diff := cmp.Diff(first, e.Day(quantities, 10*time.Second)); diff != "" {
			t.Fatalf("another meter of the same family (-first +other):\n%s", diff)
		}
	}
	if got := e.Simulations(); got != 1 {
		t.Errorf("1001 meters of one family: got %d simulations, want 1", got)
	}
	more := []estimate.Quantity{quantities[1], {ID: quantity.ImportReactivePower, Decimals: 3}, quantities[0]}
	for i, tt := range []struct {
		name       string
		quantities []estimate.Quantity
		interval   time.Duration
	}{
		{"an additional quantity", more, 10 * time.Second},
		{"another number of decimals", []estimate.Quantity{{ID: quantity.ImportPower, Decimals: 3}}, 10 * time.Second},
		{"another interval of a quantity", []estimate.Quantity{{ID: quantity.ImportEnergy, Decimals: 3, Interval: time.Minute}}, 10 * time.Second},
		{"another interval of telegrams", quantities, 5 * time.Second},
	} {
		if diff := cmp.Diff(estimate.New(plan).Day(tt.quantities, tt.interval), e.Day(tt.quantities, tt.interval)); diff != "" {
			t.Errorf("%s (-alone +after others):\n%s", tt.name, diff)
		}
		if got := e.Simulations(); got != i+2 {
			t.Errorf("%s: got %d simulations, want %d", tt.name, got, i+2)
		}
	}
	if e.Day(more[:2], 10*time.Second); e.Simulations() != 5 {
		t.Errorf("fewer quantities: got %d simulations, want 5", e.Simulations())
	}
}

// A dayCount counts the telegrams of one quantity in a day. It also counts the states without a plan (changes) and with a plan (states).
type dayCount struct {
	id                         quantity.ID
	decimals                   uint8
	telegrams, changes, states int
	lastValue                  string
}

// countDay decodes all telegrams that a meter of a family sends in a day. The result is indexed by quantity.ID.
func countDay(t *testing.T, plan *throttle.Plan, family string, interval time.Duration) []dayCount {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	f.Interval = interval
	m := simulate.NewMeter(f, 1, time.Date(2026, time.March, 11, 23, 0, 0, 0, time.UTC))
	var received bytes.Reader
	d, th, all := meter.NewDecoder(nil, meter.Options{}), throttle.New(plan), make([]dayCount, quantity.Count())
	var buffer [64]byte
	for range 24 * time.Hour / interval {
		at, telegram := m.Next()
		received.Reset(telegram)
		d.Reset(&received)
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
			value := append(s.Value.AppendFixed(buffer[:0], int(q.decimals)), s.Text...)
			if q.telegrams > 0 && string(value) != q.lastValue {
				q.changes++
			}
			q.lastValue = string(value)
			q.telegrams++
			if th.Decide(at, interval, s.ID, s.Value, q.decimals, string(s.Text)) == throttle.Publish {
				q.states++
			}
		}
	}
	return all
}

func BenchmarkDay(b *testing.B) {
	var quantities []estimate.Quantity
	for i := range 30 {
		quantities = append(quantities, estimate.Quantity{ID: quantity.ID(i)})
	}
	for _, interval := range []time.Duration{time.Second, 10 * time.Second} {
		b.Run(interval.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				estimate.New(throttle.NewPlan(throttle.Balanced)).Day(quantities, interval)
			}
		})
	}
}
