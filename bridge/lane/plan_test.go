package lane_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/lane"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func TestPresetText(t *testing.T) {
	for _, want := range []lane.Preset{lane.Realtime, lane.Balanced, lane.Frugal} {
		got := lane.Preset(99)
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("%v: got %d, %v", want, got, err)
		}
	}
	got := lane.Frugal
	if err := got.UnmarshalText([]byte("fast")); err == nil || !strings.Contains(err.Error(), "write balanced, realtime or frugal") || got != lane.Frugal {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestZeroPlanIsRealtime(t *testing.T) {
	var zero lane.Plan
	if diff := cmp.Diff(*lane.NewPlan(lane.Realtime), zero, cmp.AllowUnexported(lane.Plan{})); diff != "" {
		t.Error(diff)
	}
}

// TestPresetsSuitEveryQuantity wants a rate for each row, and none with which a small change is told sooner than a large one.
func TestPresetsSuitEveryQuantity(t *testing.T) {
	for _, preset := range []lane.Preset{lane.Balanced, lane.Frugal} {
		plan := lane.NewPlan(preset)
		for i := range quantity.Rows() {
			r := plan.Rate(quantity.ID(i))
			if r.MaxSilence <= 0 || r.MaxSilence > lane.Repeat || r.MinInterval > r.MaxSilence {
				t.Errorf("%v, %v: got %+v", preset, quantity.ID(i), r)
			}
		}
	}
}

func TestSet(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		preset lane.Preset
		change lane.Change
		want   lane.Rate
	}{
		{"nothing", lane.Balanced, lane.Change{}, lane.Rate{MinInterval: 5 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 60 * s}},
		{"min interval", lane.Balanced, lane.Change{MinInterval: duration(2 * s)}, lane.Rate{MinInterval: 2 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 60 * s}},
		{"deadband", lane.Balanced, lane.Change{Deadband: deadband(t, "1%")}, lane.Rate{MinInterval: 5 * s, Deadband: *deadband(t, "1%"), MaxSilence: 60 * s}},
		{"max silence", lane.Frugal, lane.Change{MaxSilence: duration(60 * s)}, lane.Rate{MinInterval: 15 * s, Deadband: *deadband(t, "100 5%"), MaxSilence: 60 * s}},
		{"min interval above the preset's max silence", lane.Balanced, lane.Change{MinInterval: duration(90 * s)}, lane.Rate{MinInterval: 90 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 90 * s}},
		{"max silence below the preset's min interval", lane.Balanced, lane.Change{MaxSilence: duration(2 * s)}, lane.Rate{MinInterval: 2 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 2 * s}},
		{"two that contradict each other", lane.Balanced, lane.Change{MinInterval: duration(9 * s), MaxSilence: duration(2 * s)}, lane.Rate{MinInterval: 9 * s, Deadband: *deadband(t, "30 2%"), MaxSilence: 9 * s}},
		{"realtime no longer", lane.Realtime, lane.Change{Deadband: deadband(t, "10")}, lane.Rate{Deadband: *deadband(t, "10"), MaxSilence: 60 * s}},
		{"every telegram", lane.Balanced, lane.Change{MinInterval: duration(0), Deadband: deadband(t, "0"), MaxSilence: duration(0)}, lane.Rate{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, plan := named(t, "import_power"), lane.NewPlan(tt.preset)
			plan.Set(id, tt.change)
			if diff := cmp.Diff(tt.want, plan.Rate(id)); diff != "" {
				t.Errorf("rate (-want +got):\n%s", diff)
			}
			if other := named(t, "export_power"); plan.Rate(other) != lane.NewPlan(tt.preset).Rate(other) {
				t.Error("the rate of another quantity has changed")
			}
		})
	}
}

func TestFrugalIsAThird(t *testing.T) {
	states := func(p lane.Preset) (n int) {
		for _, q := range readDay(t, lane.NewPlan(p), "aidon-se", spring, 5*time.Second).all {
			if q != nil {
				n += q.states
			}
		}
		return n
	}
	balanced, frugal := states(lane.Balanced), states(lane.Frugal)
	if frugal*100 < balanced*25 || frugal*100 > balanced*42 {
		t.Errorf("got %d states of frugal, want about a third of %d", frugal, balanced)
	}
}
