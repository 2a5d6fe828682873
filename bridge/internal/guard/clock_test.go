package guard_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A clockStep sends a number of telegrams with the same values.
type clockStep struct {
	telegrams int
	// Before each telegram, the clock of the machine advances by wallStep, and the clock of the meter by meterStep. If meterStep is
	// noClock, the telegrams have no time.
	wallStep, meterStep time.Duration
	values              string
	want                string // the result of describe for each telegram
}

const (
	day     = 24 * h
	year    = 365 * day
	noClock = -1 << 62 // no clock advances by this
)

// TestClock checks how far a counter can rise when a clock jumps, stands still or is missing. The fuse is unknown and is taken for 100 A.
// So a counter can rise by 75 kWh in each hour, and by 2.25 kWh more (slack and maxStep).
func TestClock(t *testing.T) {
	for _, tt := range []struct {
		name    string
		restart int // the Guard is restored from a snapshot before this step; 0 for never
		steps   []clockStep
	}{
		{"a small computer starts with its clock at the time when it was switched off", 1, []clockStep{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 5 * s, 3 * day, "import_energy=3000", ""},
		}},
		{"a small computer starts in 1970", 1, []clockStep{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, -56 * year, 3 * day, "import_energy=3000", ""},
			{5, 10 * s, 10 * s, "import_energy=3000", ""},
			{1, 56 * year, 10 * s, "import_energy=3001", ""},
			{1, 10 * s, 10 * s, "import_energy=9001", "import_energy jump"},
		}},
		{"a meter without a clock sends nothing for 400 days", 1, []clockStep{
			{1, 0, noClock, "import_energy=1000", ""},
			{1, 400 * day, noClock, "import_energy=700000", ""},
		}},
		{"the clock of a live meter jumps", 0, []clockStep{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 2 * year, "import_energy=11000", "import_energy jump"},
			{1, 10 * s, 10 * s, "import_energy=11000", "import_energy jump"},
			{20, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, -2 * year, "import_energy=1000", ""},
			{1, 10 * s, 2 * year, "import_energy=11000", "import_energy jump"},
		}},
		{"the clock of a meter jumps by 60 years", 0, []clockStep{
			{2, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 60 * year, "import_energy=60000", "import_energy jump"},
		}},
		{"the clock of a meter jumps back and forth", 0, []clockStep{
			{1, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 20 * day, "import_energy=1000", ""},
			{1, 10 * s, -20 * day, "import_energy=1000", ""},
			// Two hours count: maxRepeatTime, and an hour of the meter's advance.
			{1, 10 * s, 20 * day, "import_energy=1160", "import_energy jump"},
		}},
		{"only every fourth telegram has a clock", 0, []clockStep{
			{1, 2500 * time.Millisecond, 0, "import_energy=1000", ""}, // the clock of the machine is 2.5 s ahead
			{3, 20 * m, noClock, "power_failures=1", ""},
			{1, 20 * m, 80 * m, "import_energy=1103", "import_energy jump"},
			{1, 0, 0, "import_energy=1102", ""},
		}},
		{"a recording with an absurd time in one telegram", 0, []clockStep{
			{1, 0, 0, "import_energy=1000", ""},
			{1, 0, 60 * year, "import_energy=1000", ""},
			{1, 0, -60 * year, "import_energy=1000", ""},
			{1, 0, h, "import_energy=1150", ""},                       // two hours count: maxRepeatTime, and an hour of the meter's advance
			{1, 0, 2 * h, "import_energy=1230", "import_energy jump"}, // at most an hour counts until the clock has passed the absurd time
		}},
		{"a simulated meter runs at sixty times the speed", 0, []clockStep{
			{1, 0, 0, "import_energy=1000", ""},
			{20, 10 * s, 10 * m, "import_energy=1000", ""},
			{1, 10 * s, 10 * m, "import_energy=1001", ""},
			{1, 10 * s, 10 * m, "import_energy=1015", ""},
		}},
		{"the clock of a meter stands still, then jumps by three days", 0, []clockStep{
			{100, 10 * s, 0, "import_energy=1000", ""},
			{1, 10 * s, 3 * day, "import_energy=3000", ""},
		}},
		{"a meter sends nothing for 150 years", 0, []clockStep{ // products of power and time must not overflow
			{3, s, noClock, "import_power=999999999 import_energy=1 thermal_energy=1kWh", ""},
			{1, 150 * year, noClock, "import_energy=5 thermal_energy=5000kWh", ""},
		}},
		{"the clock of the machine is set back", 0, []clockStep{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, -day, h, "import_energy=1000", ""},
			{1, -day, h, "import_energy=1077", ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuard(0)
			wall, meter := start, start
			for i, step := range tt.steps {
				if i == tt.restart && i > 0 {
					g = restarted(t, g, new(guard.Snapshot))
				}
				for k := range step.telegrams {
					wall = wall.Add(step.wallStep)
					all, _ := samples(t, step.values)
					telegram := guard.Telegram{Received: wall, Samples: all}
					if step.meterStep != noClock {
						meter = meter.Add(step.meterStep)
						telegram.MeterTime = obis.FromTime(meter)
					}
					if got := describe(g.Check(&telegram)); got != step.want {
						t.Fatalf("step %d (%s), telegram %d: got %q, want %q", i, step.values, k, got, step.want)
					}
				}
			}
		})
	}
}

// TestClockZone checks that no time counts if only the zone of the meter's clock changes.
func TestClockZone(t *testing.T) {
	g := newGuard(0)
	for i, want := range []string{"", "import_energy jump"} {
		all, _ := samples(t, []string{"import_energy=1000", "import_energy=1003"}[i])
		clock := obis.FromTime(start.In(time.FixedZone("", 3600*i)))
		if got := describe(g.Check(&guard.Telegram{Received: start, MeterTime: clock, Samples: all})); got != want {
			t.Errorf("telegram %d: got %q, want %q", i, got, want)
		}
	}
}
