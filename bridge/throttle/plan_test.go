package throttle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func TestPresetText(t *testing.T) {
	for _, want := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		got := throttle.Preset(99)
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v: got %d, %v", want, got, err)
		}
	}
	got := throttle.Frugal
	if err := got.UnmarshalText([]byte("fast")); err == nil || !strings.Contains(err.Error(), "write balanced, realtime or frugal") || got != throttle.Frugal {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestZeroPlanIsRealtime(t *testing.T) {
	var zero throttle.Plan
	if diff := cmp.Diff(*throttle.NewPlan(throttle.Realtime), zero, cmp.AllowUnexported(throttle.Plan{})); diff != "" {
		t.Error(diff)
	}
}

// TestPresetRates tests that each preset has a rate for each row, in which a small change waits at least as long as a large one.
func TestPresetRates(t *testing.T) {
	for _, preset := range []throttle.Preset{throttle.Balanced, throttle.Frugal} {
		plan := throttle.NewPlan(preset)
		for i := range quantity.Rows() {
			r := plan.Rate(quantity.ID(i))
			if r.MaxSilence <= 0 || r.MaxSilence > throttle.RepeatAfter || r.MinInterval > r.MaxSilence {
				t.Errorf("%v, %v: got %+v", preset, quantity.ID(i), r)
			}
		}
	}
}

func TestSet(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name     string
		preset   throttle.Preset
		override throttle.Override
		want     throttle.Rate
	}{
		{"no field is set", throttle.Balanced, throttle.Override{}, throttle.Rate{MinInterval: 5 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 60 * s}},
		{"only min interval", throttle.Balanced, throttle.Override{MinInterval: duration(2 * s)}, throttle.Rate{MinInterval: 2 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 60 * s}},
		{"only deadband", throttle.Balanced, throttle.Override{Deadband: deadband(t, "1%")}, throttle.Rate{MinInterval: 5 * s, Deadband: *deadband(t, "1%"), MaxSilence: 60 * s}},
		{"only max silence", throttle.Frugal, throttle.Override{MaxSilence: duration(60 * s)}, throttle.Rate{MinInterval: 15 * s, Deadband: *deadband(t, "100 5%"), MaxSilence: 60 * s}},
		{"min interval above the preset's max silence", throttle.Balanced, throttle.Override{MinInterval: duration(90 * s)}, throttle.Rate{MinInterval: 90 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 90 * s}},
		{"max silence below the preset's min interval", throttle.Balanced, throttle.Override{MaxSilence: duration(2 * s)}, throttle.Rate{MinInterval: 2 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 2 * s}},
		{"max silence below min interval", throttle.Balanced, throttle.Override{MinInterval: duration(9 * s), MaxSilence: duration(2 * s)}, throttle.Rate{MinInterval: 9 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 9 * s}},
		{"deadband in realtime, which gets a max silence of a minute", throttle.Realtime, throttle.Override{Deadband: deadband(t, "10")}, throttle.Rate{Deadband: *deadband(t, "10"), MaxSilence: 60 * s}},
		{"all fields zero", throttle.Balanced, throttle.Override{MinInterval: duration(0), Deadband: deadband(t, "0"), MaxSilence: duration(0)}, throttle.Rate{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, plan := quantity.ImportPower, throttle.NewPlan(tt.preset)
			plan.Set(id, tt.override)
			if diff := cmp.Diff(tt.want, plan.Rate(id)); diff != "" {
				t.Errorf("rate (-want +got):\n%s", diff)
			}
			if other := quantity.ExportPower; plan.Rate(other) != throttle.NewPlan(tt.preset).Rate(other) {
				t.Error("the rate of another quantity has changed")
			}
		})
	}
}

// TestFrugalStates tests that frugal publishes about a third of the states of balanced.
func TestFrugalStates(t *testing.T) {
	states := func(p throttle.Preset) (n int) {
		for _, q := range decodeDay(t, throttle.NewPlan(p), "aidon-se", spring, 5*time.Second).quantities {
			if q != nil {
				n += q.states
			}
		}
		return n
	}
	balanced, frugal := states(throttle.Balanced), states(throttle.Frugal)
	if frugal*100 < balanced*25 || frugal*100 > balanced*42 {
		t.Errorf("got %d states of frugal, want about a third of %d", frugal, balanced)
	}
}
