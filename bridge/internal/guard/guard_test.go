package guard_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/identity"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// samples parses a telegram such as "import_energy=1000.5 gas=3 thermal_energy=5GJ serial=A". A sample whose name begins with '+' is
// derived from other samples. A unit is needed only for heat, whose counters are in GJ or kWh.
func samples(t testing.TB, text string) (all []quantity.Sample, serial string) {
	t.Helper()
	for _, f := range strings.Fields(text) {
		name, value, _ := strings.Cut(f, "=")
		if name == "serial" {
			serial = value
			continue
		}
		name, derived := strings.CutPrefix(name, "+")
		number, inKWh := strings.CutSuffix(value, "kWh")
		id, ok := quantity.ByName(name)
		v, err := obis.ParseDecimal([]byte(strings.TrimSuffix(number, "GJ")))
		if !ok || err != nil {
			t.Fatalf("%s: unknown quantity, or %v", f, err)
		}
		s := quantity.Sample{ID: id, Value: v, Derived: derived}
		if inKWh {
			s.UnitIndex = 1 // the units of heat are GJ and kWh
		}
		all = append(all, s)
	}
	return all, serial
}

// A meterGuard is a Guard with the serial numbers of the meter, as the bridge uses it.
type meterGuard struct {
	*guard.Guard
	serials identity.Serials
}

func newGuard(fuse int) *meterGuard { return &meterGuard{Guard: guard.New(fuse)} }

// replaced reports whether a telegram with this serial number shows that the meter was replaced.
func (g *meterGuard) replaced(serial string) bool {
	_, replaced := g.serials.Update(serial)
	return replaced
}

// Snapshot writes a snapshot with the serial number to m.
func (g *meterGuard) Snapshot(m *guard.Snapshot) {
	m.Serial = g.serials.Current()
	g.Guard.Snapshot(m)
}

// Restore continues from a snapshot with a serial number.
func (g *meterGuard) Restore(m *guard.Snapshot) {
	g.serials.Restore(m.Serial)
	g.Guard.Restore(m)
}

// describe returns a result as text: the rejected counters and the resets, such as "gas zero, import_energy 1000 to 3". It is "" if there are
// none.
func describe(result guard.Result) string {
	reasons := map[guard.Reason]string{guard.Zero: "zero", guard.Backward: "back", guard.Jump: "jump", guard.PartRejected: "part"}
	var all []string
	for _, r := range result.Rejected {
		all = append(all, fmt.Sprintf("%v %s", r.ID, reasons[r.Reason]))
	}
	for _, r := range result.Resets {
		all = append(all, fmt.Sprintf("%v %v to %v", r.ID, r.From, r.To))
	}
	return strings.Join(all, ", ")
}

// A step sends a number of telegrams with the same values.
type step struct {
	telegrams int
	wait      time.Duration // before each telegram
	values    string
	want      string // the result of describe for each telegram; "*" if another row tests it
}

// Units of time with short names, for tables of steps.
const s, m, h = time.Second, time.Minute, time.Hour

// TestRules checks each rule with a sequence of telegrams, once with the clock of the machine and once with the clock of the meter.
func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fuse  int
		steps []step
	}{
		{"first values are accepted", 0, []step{
			{1, 0, "import_energy=1000 export_energy=0 gas=5 power_failures=0", ""},
		}},
		{"first zero waits for 20 s", 0, []step{
			{1, 0, "import_energy=0 export_energy=0", "import_energy zero, export_energy zero"},
			{1, 10 * s, "import_energy=0 export_energy=0", "import_energy zero, export_energy zero"},
			{1, 9 * s, "import_energy=0 export_energy=0", "import_energy zero, export_energy zero"},
			{1, 1 * s, "import_energy=0 export_energy=0", ""},
			{1, 10 * s, "import_energy=0.001 export_energy=0", ""},
		}},
		{"first zero waits for three telegrams", 0, []step{
			{2, h, "import_energy=0", "import_energy zero"},
			{1, h, "import_energy=0", ""},
		}},
		{"a meter sends zeros while it starts", 0, []step{
			{2, 10 * s, "import_energy=0 import_energy_t1=0 gas=0", "import_energy zero, import_energy_t1 zero, gas zero"},
			{1, 10 * s, "import_energy=1000 import_energy_t1=0 gas=50", ""},
		}},
		{"first zero of a meter without import_energy", 0, []step{
			{1, 0, "export_energy=0 absolute_energy=0 power_failures=3", "export_energy zero, absolute_energy zero"},
			{1, 0, "export_energy=0 absolute_energy=7", ""},
		}},
		{"a sub-meter's first zero waits for a day", 0, []step{
			{4, 8 * h, "import_energy=1000 gas=0", "gas zero"},
			{1, 8 * h, "import_energy=1000 gas=0", ""},
		}},
		{"a value is repeated with fewer decimals", 0, []step{{5, h, "import_energy=1000.10", ""}, {1, s, "import_energy=1000.1", ""}}},
		{"single zeros are rejected", 0, []step{
			{1, s, "import_energy=1000 export_energy=7", ""},
			{1, s, "import_energy=0 export_energy=0", "import_energy zero, export_energy zero"},
			{1, s, "import_energy=1000.001 export_energy=7", ""},
			{2, 15 * s, "import_energy=0", "import_energy zero"}, // the time counts from the first zero of this series
			{1, s, "import_energy=1000.001 export_energy=7", ""},
		}},
		{"zeros are accepted after 20 s", 0, []step{
			{1, s, "import_energy=1000", ""},
			{20, s, "import_energy=0", "import_energy zero"},
			{1, s, "import_energy=0", "import_energy 1000 to 0"},
		}},
		{"a reset counter reads zero twice, then rises", 0, []step{
			{1, s, "import_energy=1000", ""},
			{2, s, "import_energy=0", "import_energy zero"},
			{1, s, "import_energy=0.001", "import_energy 1000 to 0.001"},
		}},
		{"gas reads zero for some hours", 0, []step{
			{1, s, "import_energy=1000 gas=500", ""},
			{10, h, "import_energy=1000 gas=0", "gas zero"},
			{1, h, "import_energy=1000 gas=512", ""},
		}},
		{"a new gas meter reads zero for nine hours, then rises", 0, []step{
			{1, s, "import_energy=1000 gas=500", ""},
			{9, h, "import_energy=1000 gas=0", "gas zero"},
			{1, h, "import_energy=1000 gas=0.01", "gas 500 to 0.01"},
			{1, h, "import_energy=1000 gas=2", ""},
		}},
		{"a single lower value is rejected", 0, []step{
			{1, s, "import_energy=1000", ""},
			{1, s, "import_energy=999.999", "import_energy back"},
			{1, s, "import_energy=1000.001", ""},
		}},
		{"a true value ends a series of lower values", 0, []step{
			{1, s, "import_energy=1000", ""},
			{2, s, "import_energy=900", "import_energy back"},
			{1, s, "import_energy=1000", ""},
			{2, s, "import_energy=900", "import_energy back"},
			{1, s, "import_energy=901", "import_energy 1000 to 901"},
		}},
		{"a lower value is accepted if it can follow from two rejected values", 0, []step{
			{1, s, "import_energy=1000", ""},
			{1, s, "import_energy=500", "import_energy back"},
			{1, s, "import_energy=499", "import_energy back"},
			{1, s, "import_energy=500", "import_energy back"},
			{1, s, "import_energy=800", "import_energy back"}, // cannot follow from 500 within 1 s, so a new series begins
			{1, s, "import_energy=499", "import_energy back"},
			{1, s, "import_energy=499", "import_energy back"},
			{1, s, "import_energy=499.1", "import_energy 1000 to 499.1"},
		}},
		{"a counter of 32 bits wraps", 0, []step{ // 2^32 Wh are 4294967.296 kWh
			{1, h, "import_energy=4294966.5", ""},
			{2, h, "import_energy=0.2", "import_energy back"},
			{1, h, "import_energy=1.2", "import_energy 4294966.5 to 1.2"},
		}},
		{"a value below zero is never accepted and ends a series", 0, []step{
			{30, h, "import_energy=-1", "import_energy back"},
			{1, s, "import_energy=1000", ""},
			{2, s, "import_energy=5", "import_energy back"},
			{1, s, "import_energy=-5", "import_energy back"},
			{2, s, "import_energy=5", "import_energy back"},
			{1, s, "import_energy=5", "import_energy 1000 to 5"},
		}},
		{"other counters are reset with the main one within 70 minutes", 0, []step{
			{1, h, "import_energy=1000 export_energy=500 reactive_energy_q1=50 reactive_energy_q2=60 gas=5", ""},
			{2, 10 * s, "import_energy=5", "import_energy back"},
			{1, 10 * s, "import_energy=5 export_energy=0 gas=6", "import_energy 1000 to 5, export_energy 500 to 0"},
			{1, 69 * m, "import_energy=6 export_energy=1 reactive_energy_q1=0", "reactive_energy_q1 50 to 0"},
			{1, 2 * m, "import_energy=6 export_energy=0.5 reactive_energy_q2=0", "export_energy back, reactive_energy_q2 zero"},
		}},
		{"a jump is rejected although the main counter was reset", 0, []step{
			{1, h, "import_energy=1000 gas=500", ""},
			{3, 10 * s, "import_energy=5", "*"},
			{1, 10 * s, "gas=600", "gas jump"},
		}},
		{"a reset of export_energy resets no other counter of a meter with import_energy", 0, []step{
			{1, h, "import_energy=1000 export_energy=500 gas=500", ""},
			{3, 10 * s, "export_energy=5", "*"},
			{1, 10 * s, "gas=5", "gas back"},
		}},
		{"a jump of the main counter resets no other counter", 0, []step{
			{1, h, "import_energy=1000 gas=500", ""},
			{25, h, "import_energy=9999", "*"},
			{1, h, "import_energy=9999 gas=5", "gas back"},
		}},
		{"absolute_energy is a main counter of a meter without import_energy", 0, []step{
			{1, h, "export_energy=500 absolute_energy=700", ""},
			{2, 10 * s, "absolute_energy=5", "absolute_energy back"},
			{1, 10 * s, "absolute_energy=5", "absolute_energy 700 to 5"},
			{1, h, "export_energy=0", "export_energy 500 to 0"},
		}},
		{"a single jump is rejected", 0, []step{
			{1, s, "import_energy=1000", ""},
			{1, s, "import_energy=16000", "import_energy jump"},
			{1, s, "import_energy=1000.001", ""},
		}},
		{"a jump is accepted after a day", 16, []step{
			{1, s, "import_energy=1000", ""},
			{25, h - s, "import_energy=16000", "import_energy jump"},
			{1, h, "import_energy=16000.5", "import_energy 1000 to 16000.5"},
			{1, h, "import_energy=16001", ""},
		}},
		{"a series of jumps begins again at a lower value", 16, []step{
			{1, s, "import_energy=1000", ""},
			{20, h, "import_energy=16000", "import_energy jump"},
			{1, h, "import_energy=15999", "import_energy jump"},
			{24, h - s, "import_energy=16000", "import_energy jump"},
		}},
		{"a rise that the elapsed time allows", 16, []step{ // 12 kW for 10 h, and 1.2 kWh for slack and maxStep
			{1, s, "import_energy=1000 export_energy=1000", ""},
			{1, 10 * h, "import_energy=1121.2 export_energy=1121.3", "export_energy jump"},
			{1, h, "import_energy=1121.2 export_energy=1121.3", ""},
		}},
		// Two hours count: maxRepeatTime, and the last hour. So 24 kWh are allowed, and 1.2 kWh for slack and maxStep.
		{"of 100 hours in which a value is repeated, one hour counts", 16, []step{
			{100, h, "export_energy=1000", ""},
			{1, h, "export_energy=1025.3", "export_energy jump"},
			{1, h, "export_energy=1000", ""},
			{1, h, "export_energy=1025.2", ""},
		}},
		{"an unknown fuse is taken for one of 100 A", 0, []step{
			{1, s, "import_energy=1000 import_reactive_energy=1000 import_energy_l1=1000", ""},
			{1, h, "import_energy=1077.2 import_reactive_energy=1077.2 import_energy_l1=1077.3", "import_energy_l1 jump"},
		}},
		{"power in two telegrams raises the limit", 16, []step{
			{1, s, "import_power=400000 import_energy=1000", ""},
			{1, h, "import_power=0 import_energy=1100", "import_energy jump"},
			{1, s, "import_power=40000 import_energy=1000", ""},
			{1, s, "import_power=50000 import_energy=1000", ""},
			{1, h, "import_energy=1080", ""},
		}},
		{"limits of sub-meters", 0, []step{ // gas and water: 100 m³/h; heat: 225 kW, or 0.81 GJ/h; slack: 10 min; maxStep: 1
			{1, s, "import_energy=9 gas=100 water=100 thermal_energy=100kWh cooling_energy=100GJ", ""},
			{1, h, "gas=217 water=218 thermal_energy=363kWh cooling_energy=101.9GJ", "water jump"},
			{1, 0, "water=100 thermal_energy=363kWh cooling_energy=101.9GJ", ""},
			{1, h, "thermal_energy=627kWh cooling_energy=103.9GJ", "thermal_energy jump, cooling_energy jump"},
			{26, h, "gas=217", ""},
			{1, h, "gas=2835", "gas jump"}, // 26 h count: 25 h of maxRepeatTime, and the last hour
			{1, 0, "gas=2834", ""},
		}},
		{"a count of events can jump", 0, []step{
			{1, s, "import_energy=9 power_failures=1", ""},
			{1, s, "import_energy=9 power_failures=60000", ""},
			{1, s, "import_energy=9 power_failures=3", "power_failures back"},
		}},
		{"the meter is replaced", 0, []step{
			{1, s, "import_energy=1000 export_energy=500 gas=7 serial=A", ""},
			{1, s, "import_energy=9000 export_energy=0 serial=B", "import_energy jump, export_energy zero"},
			{1, s, "import_energy=9000", "import_energy jump"},
			{1, s, "import_energy=9000 export_energy=0 water=0 serial=B", "meter A replaced, water zero, import_energy 1000 to 9000, export_energy 500 to 0"},
			{1, h, "gas=0.5", "gas 7 to 0.5"},
			{1, s, "import_energy=9000 export_energy=0 gas=0 serial=B", "gas zero"},
		}},
		{"the serial number of a meter gets another form", 0, []step{
			{1, s, "import_energy=1000 serial=A", ""},
			{1, s, "import_energy=1000 serial=0A", ""},
			{1, s, "import_energy=1000.1 serial=0A", "meter A replaced"},
		}},
		{"a serial number that was garbled once", 0, []step{
			{1, s, "import_energy=1000 serial=A", ""},
			{1, s, "import_energy=5 serial=B", "import_energy back"},
			{1, s, "import_energy=1000.1 serial=A", ""},
			{1, s, "import_energy=5 serial=B", "import_energy back"},
		}},
		{"sums of tariffs", 0, []step{
			{1, s, "import_energy_t1=600 import_energy_t2=400 +import_energy=1000", ""},
			{1, s, "import_energy_t1=0 import_energy_t2=400 +import_energy=400", "import_energy_t1 zero, import_energy part"},
			{1, s, "import_energy_t1=599.9 import_energy_t2=400.1 +import_energy=1000", "import_energy_t1 back, import_energy part"},
			{1, s, "import_energy_t1=600 import_energy_t2=400.1 +import_energy=1000.1 export_energy_t1=2 +export_energy=2", ""},
			{1, s, "import_energy_t1=601 import_energy_t2=400 +import_energy=1001 export_energy_t1=1 +export_energy=1",
				"import_energy_t2 back, import_energy part, export_energy_t1 back, export_energy part"},
			{1, s, "import_energy_t1=0 import_energy=1001", "import_energy_t1 zero"}, // the meter sends the sum itself
		}},
		{"a new meter without a serial number, with a tariff that reads zero", 0, []step{
			{1, 10 * s, "import_energy_t1=600 import_energy_t2=400 +import_energy=1000", ""},
			{2, s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 zero, import_energy_t2 back, import_energy part"},
			{1, s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 zero, import_energy part, import_energy_t2 400 to 5"},
			{17, s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 zero, import_energy part"},
			{1, s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 600 to 0, import_energy 1000 to 5"},
		}},
		{"a new meter without a serial number, with tariffs", 0, []step{
			{1, 10 * s, "import_energy_t1=600 import_energy_t2=400 +import_energy=1000", ""},
			{2, 10 * s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 zero, import_energy_t2 back, import_energy part"},
			{1, 10 * s, "import_energy_t1=0 import_energy_t2=5 +import_energy=5", "import_energy_t1 600 to 0, import_energy_t2 400 to 5, import_energy 1000 to 5"},
		}},
	} {
		for _, clock := range []string{"wall", "meter"} {
			t.Run(tt.name+"/"+clock, func(t *testing.T) {
				g := newGuard(tt.fuse)
				at, wall := start, clock == "wall"
				for i, step := range tt.steps {
					for k := range step.telegrams {
						at = at.Add(step.wait)
						if got := check(t, g, at, wall, step.values); got != step.want && step.want != "*" {
							t.Fatalf("step %d (%s), telegram %d: got %q, want %q", i, step.values, k, got, step.want)
						}
					}
				}
			})
		}
	}
}

// check passes a telegram to g and returns the result of describe. If wall is true, the telegram arrives at the given time and has no
// time of the meter. If wall is false, the clock of the machine stands still and the given time is the meter's. Every sample must be
// accepted or rejected, and every reason must have a text.
func check(t testing.TB, g *meterGuard, at time.Time, wall bool, values string) string {
	t.Helper()
	all, serial := samples(t, values)
	oldSerial := g.serials.Current()
	telegram := guard.Telegram{Received: at, MeterReplaced: g.replaced(serial), Samples: all}
	if !wall {
		telegram.Received, telegram.MeterTime = start, obis.FromTime(at)
	}
	sent := len(all)
	result := g.Check(&telegram)
	if len(result.Accepted)+len(result.Rejected) != sent {
		t.Errorf("%s: got %d accepted and %d rejected, want %d together", values, len(result.Accepted), len(result.Rejected), sent)
	}
	for _, r := range result.Rejected {
		if r.Reason.String() == "" {
			t.Errorf("%s: reason %d has no text", values, r.Reason)
		}
	}
	text := describe(result)
	if telegram.MeterReplaced {
		text = strings.TrimSuffix("meter "+oldSerial+" replaced, "+text, ", ")
	}
	return text
}

// TestRejection checks the fields of a rejection, and that the accepted samples stay in their order.
func TestRejection(t *testing.T) {
	g := newGuard(0)
	check(t, g, start, true, "import_energy=1000")
	for i, repeated := range []bool{false, true, false} {
		if i == 2 { // an accepted value ends the repetition
			check(t, g, start, true, "import_energy=1000")
		}
		all, _ := samples(t, "voltage_l1=230 import_energy=5.0 export_energy=9 frequency=50")
		result := g.Check(&guard.Telegram{Received: start, Samples: all})
		r := result.Rejected[0]
		if r.Value.Cmp(obis.Decimal{Coef: 5}) != 0 || r.LastAccepted.Cmp(obis.Decimal{Coef: 1000}) != 0 || r.Reason != guard.Backward || r.Repeated != repeated {
			t.Errorf("telegram %d: got rejection %+v, want value 5 rejected as backward after 1000, repeated %v", i, r, repeated)
		}
		want := []string{"voltage_l1", "export_energy", "frequency"}
		for k := range want {
			if got := result.Accepted[k].ID.String(); got != want[k] {
				t.Errorf("telegram %d: accepted sample %d is %s, want %s", i, k, got, want[k])
			}
		}
	}
}

// TestAlternatingMeters checks that two meters whose telegrams alternate cause at most one telegram with a reset or a replaced meter.
func TestAlternatingMeters(t *testing.T) {
	const a, b = "import_energy=1000 export_energy=9 ", "import_energy=30000 export_energy=0 " // telegrams of the two meters
	for _, order := range [][]string{
		{a, b}, {b, a}, {a, a, b}, {a + "serial=A", b + "serial=B"}, {b + "serial=B", a + "serial=A"},
		{a + "serial=A", a + "serial=A", b + "serial=B", b + "serial=B"}, {a, a, a, a, b, b, b, b},
	} {
		for _, years := range []int{0, 7} { // between the clocks of the two meters
			g := newGuard(0)
			changes := 0
			for i := range 400 {
				text := order[i%len(order)]
				all, serial := samples(t, text)
				at := start.Add(time.Duration(i) * 5 * s)
				clock := at
				if strings.HasPrefix(text, b) {
					clock = at.AddDate(years, 0, 0)
				}
				replaced := g.replaced(serial)
				result := g.Check(&guard.Telegram{Received: at, MeterTime: obis.FromTime(clock), MeterReplaced: replaced, Samples: all})
				if len(result.Resets) > 0 || replaced {
					changes++
				}
			}
			if changes > 1 {
				t.Errorf("%q, clocks %d years apart: got %d telegrams with a reset or a replaced meter, want at most one", order, years, changes)
			}
		}
	}
}

// TestExtremeNumbers checks that no number that a meter can send causes a panic, and that no negative counter is accepted.
func TestExtremeNumbers(t *testing.T) {
	coefs := []int64{0, 1, -1, 9, 1000, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, math.MaxInt64 / 10}
	exps := []int8{0, -3, 3, 100, -100, 127, -128}
	g := newGuard(math.MaxInt)
	for _, a := range coefs {
		for _, x := range exps {
			for _, b := range coefs {
				for _, y := range exps {
					all, _ := samples(t, "import_power=0 import_energy=0 gas=0 power_failures=0 thermal_energy=0")
					for i := range all {
						all[i].Value = [2]obis.Decimal{{Coef: a, Exp: x}, {Coef: b, Exp: y}}[i%2]
					}
					result := g.Check(&guard.Telegram{Received: start, Samples: all})
					for _, s := range result.Accepted[1:] { // sample 0 is import_power, not a counter
						if s.Value.Sign() < 0 {
							t.Fatalf("%v = %v is accepted", s.ID, s.Value)
						}
					}
				}
			}
		}
	}
}
