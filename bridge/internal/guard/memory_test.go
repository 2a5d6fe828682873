package guard_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestMemory: what a Guard must know goes over a restart: values, their ages, the meter, its power, and that it was replaced.
func TestMemory(t *testing.T) {
	g := guard.New(0)
	at := start
	tell := func(after time.Duration, values, want string) {
		t.Helper()
		at = at.Add(after)
		if got := judge(t, g, at, true, values); got != want {
			t.Errorf("%s: got %q, want %q", values, got, want)
		}
		var was, is guard.Memory
		g.Remember(&was)
		g = restored(t, &was)
		g.Remember(&is)
		if diff := cmp.Diff(was, is); diff != "" {
			t.Errorf("%s: memory before and after a restart (-was +is):\n%s", values, diff)
		}
	}
	tell(0, "import_power=300000 import_energy=1000 export_energy=50 gas=7 serial=A", "")
	tell(s, "import_power=300000 import_energy=1000 serial=A", "")
	tell(h, "import_energy=1000", "")
	tell(h, "import_energy=1078 gas=99", "") // two hours, of which the first rested
	tell(s, "import_energy=1078 export_energy=0 serial=A", "export_energy zero")
}

// TestMemoryOfChanges: the other counters of a new meter are followed at once after a restart, too.
func TestMemoryOfChanges(t *testing.T) {
	for _, serials := range [][2]string{{"", ""}, {" serial=A", " serial=B"}} {
		g := guard.New(0)
		judge(t, g, start, true, "import_energy=1000 export_energy=50 gas=9"+serials[0])
		g = restarted(t, g, new(guard.Memory))
		for i := range 3 {
			judge(t, g, start.Add(time.Duration(i+1)*s), true, "import_energy=5"+serials[1])
		}
		g = restarted(t, g, new(guard.Memory))
		if got, want := judge(t, g, start.Add(h), true, "export_energy=3"), "export_energy 50 to 3"; got != want {
			t.Errorf("serial numbers %q: got %q, want %q", serials, got, want)
		}
		g = restarted(t, g, new(guard.Memory))
		want := "gas back"
		if serials[1] != "" {
			want = "gas 9 to 3"
		}
		if got := judge(t, g, start.Add(9*h), true, "gas=3"); got != want {
			t.Errorf("serial numbers %q: got %q, want %q", serials, got, want)
		}
	}
}

// TestPowerIsRemembered: a house behind transformers uses more in its absence than the usual fuse lets through.
func TestPowerIsRemembered(t *testing.T) {
	g := guard.New(0)
	for range 2 {
		judge(t, g, start, true, "import_power=300000 import_energy=1000")
	}
	g = restarted(t, g, new(guard.Memory))
	if got := judge(t, g, start.Add(10*h), true, "import_energy=4000"); got != "" {
		t.Errorf("got %q, want nothing held back", got)
	}
}

// TestGarbledMemory: what cannot be is passed over, and nothing panics.
func TestGarbledMemory(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		g := guard.New(0)
		g.Restore(&guard.Memory{Power: n, Wall: n, Meter: n, Turned: n, Counters: []guard.Counter{
			{Quantity: "import_energy", Value: obis.Decimal{Coef: 1000}, Since: n, Seen: n},
			{Quantity: "export_energy", Value: obis.Decimal{Coef: -7}, Since: n, Seen: n},
			{Quantity: "voltage_l1", Value: obis.Decimal{Coef: 7}}, {Quantity: "no_such_thing"}, {},
		}})
		var m guard.Memory
		g.Remember(&m)
		if len(m.Counters) != 1 {
			t.Errorf("with %d: remembers %+v, want import_energy", n, m.Counters)
		}
		for _, wall := range []bool{true, false} {
			for values, want := range map[string]string{
				"import_energy=1000.1 export_energy=9 voltage_l1=1": "", "import_energy=5 export_energy=9": "import_energy back",
			} {
				if got := judge(t, g, start, wall, values); got != want {
					t.Errorf("with %d: got %q, want %q", n, got, want)
				}
			}
		}
	}
}
