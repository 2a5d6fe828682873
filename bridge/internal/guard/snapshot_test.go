package guard_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestSnapshot checks that a restored Guard gives the same snapshot and accepts the same values.
func TestSnapshot(t *testing.T) {
	g := newGuard(0)
	at := start
	send := func(wait time.Duration, values, want string) {
		t.Helper()
		at = at.Add(wait)
		if got := check(t, g, at, true, values); got != want {
			t.Errorf("%s: got %q, want %q", values, got, want)
		}
		var before, after guard.Snapshot
		g.Snapshot(&before)
		g = restored(t, &before)
		g.Snapshot(&after)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: snapshot before and after a restart (-before +after):\n%s", values, diff)
		}
	}
	send(0, "import_power=300000 import_energy=1000 export_energy=50 gas=7 serial=A", "")
	send(s, "import_power=300000 import_energy=1000 serial=A", "")
	send(h, "import_energy=1000", "")
	send(h, "import_energy=1078 gas=99", "")
	send(s, "import_energy=1078 export_energy=0 serial=A", "export_energy zero")
}

// TestSnapshotOrder checks that the counters of a snapshot are in the order of pkg/quantity, whatever the order in which the meter sends them.
func TestSnapshotOrder(t *testing.T) {
	g, at := newGuard(0), start
	for _, values := range []string{"gas=7", "export_energy=50", "power_failures=3", "import_energy=1000"} {
		at = at.Add(s)
		check(t, g, at, true, values)
	}
	var m guard.Snapshot
	g.Snapshot(&m)
	var got, want []quantity.ID
	for _, c := range m.Counters {
		id, _ := quantity.ByName(c.Quantity)
		got = append(got, id)
	}
	for _, name := range []string{"gas", "export_energy", "power_failures", "import_energy"} {
		id, _ := quantity.ByName(name)
		want = append(want, id)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// TestSnapshotAfterReset checks that a restored Guard accepts lower values of the other counters if the meter was reset or replaced
// before the restart.
func TestSnapshotAfterReset(t *testing.T) {
	for _, serials := range [][2]string{{"", ""}, {" serial=A", " serial=B"}} { // of the old and the new meter; "" for a reset
		g := newGuard(0)
		check(t, g, start, true, "import_energy=1000 export_energy=50 gas=9"+serials[0])
		g = restarted(t, g, new(guard.Snapshot))
		for i := range 3 {
			check(t, g, start.Add(time.Duration(i+1)*s), true, "import_energy=5"+serials[1])
		}
		g = restarted(t, g, new(guard.Snapshot))
		if got, want := check(t, g, start.Add(h), true, "export_energy=3"), "export_energy 50 to 3"; got != want {
			t.Errorf("serial numbers %q: got %q, want %q", serials, got, want)
		}
		g = restarted(t, g, new(guard.Snapshot))
		want := "gas back" // nine hours are more than resetWindow
		if serials[1] != "" {
			want = "gas 9 to 3" // after a replacement, the first value is accepted at any time
		}
		if got := check(t, g, start.Add(9*h), true, "gas=3"); got != want {
			t.Errorf("serial numbers %q: got %q, want %q", serials, got, want)
		}
	}
}

// TestSnapshotPower checks that the highest power is restored, so that a rise above the limit of the default fuse is accepted.
func TestSnapshotPower(t *testing.T) {
	g := newGuard(0)
	for range 2 {
		check(t, g, start, true, "import_power=300000 import_energy=1000")
	}
	g = restarted(t, g, new(guard.Snapshot))
	if got := check(t, g, start.Add(10*h), true, "import_energy=4000"); got != "" {
		t.Errorf("got %q, want nothing rejected", got)
	}
}

// TestRestoreImpossibleValues checks that Restore skips impossible values and that nothing panics.
func TestRestoreImpossibleValues(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		g := newGuard(0)
		g.Restore(&guard.Snapshot{MaxPower: n, Received: n, MeterTime: n, SinceReset: n, Counters: []guard.Counter{
			{Quantity: "import_energy", Value: obis.Decimal{Coef: 1000}, Since: n, Seen: n},
			{Quantity: "export_energy", Value: obis.Decimal{Coef: -7}, Since: n, Seen: n},
			{Quantity: "voltage_l1", Value: obis.Decimal{Coef: 7}}, {Quantity: "no_such_quantity"}, {},
		}})
		var m guard.Snapshot
		g.Snapshot(&m)
		if len(m.Counters) != 1 {
			t.Errorf("restored with %d: got counters %+v, want import_energy", n, m.Counters)
		}
		for _, wall := range []bool{true, false} {
			for values, want := range map[string]string{
				"import_energy=1000.1 export_energy=9 voltage_l1=1": "", "import_energy=5 export_energy=9": "import_energy back",
			} {
				if got := check(t, g, start, wall, values); got != want {
					t.Errorf("restored with %d: got %q, want %q", n, got, want)
				}
			}
		}
	}
}
