package guard_test

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A tick is telegrams alike, with how far the two clocks went before each; never for a telegram without the meter's.
type tick struct {
	times       int
	wall, meter time.Duration
	values      string
	want        string
}

const (
	day   = 24 * h
	year  = 365 * day
	never = -1 << 62
)

// TestClocks: which time explains a rise. The fuse lets 75 kW through.
func TestClocks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		restart int // before which tick
		ticks   []tick
	}{
		{"a small computer starts at the time when it was switched off", 1, []tick{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 5 * s, 3 * day, "import_energy=3000", ""},
		}},
		{"it starts in 1970", 1, []tick{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, -56 * year, 3 * day, "import_energy=3000", ""},
			{5, 10 * s, 10 * s, "import_energy=3000", ""},
			{1, 56 * year, 10 * s, "import_energy=3001", ""},
			{1, 10 * s, 10 * s, "import_energy=9001", "import_energy jump"},
		}},
		{"a long absence of a meter without a clock", 1, []tick{
			{1, 0, never, "import_energy=1000", ""},
			{1, 400 * day, never, "import_energy=700000", ""},
		}},
		{"the clock of a live meter jumps", 0, []tick{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 2 * year, "import_energy=11000", "import_energy jump"},
			{1, 10 * s, 10 * s, "import_energy=11000", "import_energy jump"},
			{20, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, -2 * year, "import_energy=1000", ""},
			{1, 10 * s, 2 * year, "import_energy=11000", "import_energy jump"},
		}},
		{"the clock of a meter jumps far", 0, []tick{
			{2, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 60 * year, "import_energy=60000", "import_energy jump"},
		}},
		{"the clock of a meter takes turns", 0, []tick{
			{1, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, 10 * s, 20 * day, "import_energy=1000", ""},
			{1, 10 * s, -20 * day, "import_energy=1000", ""},
			{1, 10 * s, 20 * day, "import_energy=1160", "import_energy jump"}, // the hour that rested, and one more
		}},
		{"only every fourth telegram has a clock", 0, []tick{
			{1, 2500 * time.Millisecond, 0, "import_energy=1000", ""},
			{3, 20 * m, never, "power_failures=1", ""},
			{1, 20 * m, 80 * m, "import_energy=1103", "import_energy jump"},
			{1, 0, 0, "import_energy=1102", ""},
		}},
		{"a recording goes on after an absurd clock", 0, []tick{
			{1, 0, 0, "import_energy=1000", ""},
			{1, 0, 60 * year, "import_energy=1000", ""},
			{1, 0, -60 * year, "import_energy=1000", ""},
			{1, 0, h, "import_energy=1150", ""},                       // and the hour that rested
			{1, 0, 2 * h, "import_energy=1230", "import_energy jump"}, // what that clock costs
		}},
		{"a meter that is simulated at sixty times the speed", 0, []tick{
			{1, 0, 0, "import_energy=1000", ""},
			{20, 10 * s, 10 * m, "import_energy=1000", ""},
			{1, 10 * s, 10 * m, "import_energy=1001", ""},
			{1, 10 * s, 10 * m, "import_energy=1015", ""},
		}},
		{"a meter's clock that stood still", 0, []tick{
			{100, 10 * s, 0, "import_energy=1000", ""},
			{1, 10 * s, 3 * day, "import_energy=3000", ""},
		}},
		{"centuries", 0, []tick{
			{3, s, never, "import_power=999999999 import_energy=1 thermal_energy=1kWh", ""},
			{1, 150 * year, never, "import_energy=5 thermal_energy=5000kWh", ""},
		}},
		{"the clock of the machine is set back", 0, []tick{
			{100, 10 * s, 10 * s, "import_energy=1000", ""},
			{1, -day, h, "import_energy=1000", ""},
			{1, -day, h, "import_energy=1077", ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := guard.New(0)
			wall, clock := start, start
			for i, p := range tt.ticks {
				if i == tt.restart && i > 0 {
					g = restarted(t, g, new(guard.Memory))
				}
				for k := range p.times {
					wall = wall.Add(p.wall)
					all, _ := samples(t, p.values)
					telegram := guard.Telegram{Received: wall, Samples: all}
					if p.meter != never {
						clock = clock.Add(p.meter)
						telegram.Meter = obis.FromTime(clock)
					}
					if got := said(g.Judge(&telegram)); got != p.want {
						t.Fatalf("tick %d (%s), telegram %d: got %q, want %q", i, p.values, k, got, p.want)
					}
				}
			}
		})
	}
}

// TestZone: an hour that only the zone makes is no time.
func TestZone(t *testing.T) {
	g := guard.New(0)
	for i, want := range []string{"", "import_energy jump"} {
		all, _ := samples(t, []string{"import_energy=1000", "import_energy=1003"}[i])
		clock := obis.FromTime(start.In(time.FixedZone("", 3600*i)))
		if got := said(g.Judge(&guard.Telegram{Received: start, Meter: clock, Samples: all})); got != want {
			t.Errorf("telegram %d: got %q, want %q", i, got, want)
		}
	}
}
