package lane_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/lane"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestEstimate compares with a day of telegrams that is read in full.
func TestEstimate(t *testing.T) {
	tests := []struct {
		family string
		preset lane.Preset
		every  time.Duration
	}{
		{"aidon-se", lane.Balanced, time.Second},
		{"aidon-se", lane.Frugal, 10 * time.Second},
		{"p1-nl-5", lane.Balanced, 2 * time.Second},
		{"aidon-se", lane.Realtime, 10 * time.Second},
	}
	for _, tt := range tests {
		if raced && tt.every < 10*time.Second {
			continue
		}
		t.Run(tt.family+" "+tt.preset.String()+" "+tt.every.String(), func(t *testing.T) {
			t.Parallel()
			plan := lane.NewPlan(tt.preset)
			day := readDay(t, plan, tt.family, spring, tt.every)
			var sent []lane.Sent
			for _, q := range day.all {
				if q != nil {
					sent = append(sent, lane.Sent{ID: q.id, Decimals: q.decimals})
				}
			}
			var states, changes, wantStates, wantChanges int
			for i, load := range lane.Estimate(plan, sent, tt.every) {
				q := day.all[sent[i].ID]
				if load.ID != q.id || load.States < 1 || load.States > load.EveryTelegram || load.EveryTelegram > q.telegrams {
					t.Errorf("%v: got %+v, a day had %d states, %d changes", q.id, load, q.states, q.changes)
				}
				states, wantStates = states+load.States, wantStates+q.states
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
	var sent []lane.Sent
	for i := range quantity.Rows() {
		sent = append(sent, lane.Sent{ID: quantity.ID(i), Decimals: uint8(max(quantity.Rows()[i].Decimals, 0))})
	}
	for _, load := range lane.Estimate(lane.NewPlan(lane.Balanced), sent, 10*time.Second) {
		row := load.ID.Row()
		switch unused := strings.HasSuffix(row.Name, "_t3") || strings.HasSuffix(row.Name, "_t4"); {
		case row.Lane == quantity.Status || unused:
			if load != (lane.Load{ID: load.ID, States: 1, EveryTelegram: 1}) {
				t.Errorf("%v: got %+v, want one state", load.ID, load)
			}
		case load.States < 5 || load.States > load.EveryTelegram || load.EveryTelegram > 8640:
			t.Errorf("%v: got %+v", load.ID, load)
		}
	}
}

func TestEstimateOfRareQuantities(t *testing.T) {
	id := named(t, "import_energy")
	plan := lane.NewPlan(lane.Balanced)
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
		got := lane.Estimate(plan, []lane.Sent{{ID: id, Decimals: 3, Every: tt.own}}, tt.every)[0]
		if got.States < tt.least || got.States > tt.most {
			t.Errorf("each %v of a meter with a telegram each %v: got %d states, want %d to %d", tt.own, tt.every, got.States, tt.least, tt.most)
		}
	}
	if got := lane.Estimate(plan, nil, time.Second); len(got) != 0 {
		t.Errorf("got %v for a meter that sends nothing", got)
	}
}

// TestEstimateIsInThePublishedUnit has a counter published with each 5 kWh.
func TestEstimateIsInThePublishedUnit(t *testing.T) {
	id, plan := named(t, "import_energy"), lane.NewPlan(lane.Balanced)
	plan.Set(id, lane.Change{Deadband: deadband(t, "5"), MaxSilence: duration(24 * time.Hour)})
	got := lane.Estimate(plan, []lane.Sent{{ID: id, Decimals: 3}}, 20*time.Second)[0]
	if most := 24*2 + 100/5; got.States < 24 || got.States > most {
		t.Errorf("got %d states, want two for most hours and one for each 5 kWh", got.States)
	}
}
