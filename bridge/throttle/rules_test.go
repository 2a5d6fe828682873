package throttle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A step is a value that comes some seconds after noon.
type step struct {
	at    float64
	value string
	want  throttle.Decision
}

const (
	withhold = throttle.Withhold
	publish  = throttle.Publish
	again    = throttle.Repeat
)

func TestRules(t *testing.T) {
	ten := throttle.Override{MinInterval: duration(5 * time.Second), Deadband: deadband(t, "10"), MaxSilence: duration(time.Minute)}
	percent := throttle.Override{MinInterval: duration(0), Deadband: deadband(t, "10 5%"), MaxSilence: duration(time.Minute)}
	patient := throttle.Override{MinInterval: duration(0), Deadband: deadband(t, "10"), MaxSilence: duration(20 * time.Minute)}
	minutes := throttle.Override{MinInterval: duration(10 * time.Minute)}
	tests := []struct {
		name, quantity string
		preset         throttle.Preset
		change         *throttle.Override
		decimals       uint8
		every          time.Duration
		steps          []step
	}{
		{name: "realtime", quantity: "import_power", steps: []step{
			{0, "5", publish}, {1, "6", publish}, {2, "6", again}, {3, "6", again}, {3, "7", publish}, {4, "6.6", again},
		}},
		{name: "a change that reaches the deadband", quantity: "import_power", preset: throttle.Balanced, change: &ten, steps: []step{
			{0, "100", publish}, {6, "109", withhold}, {7, "110", publish}, {13, "101", withhold}, {14, "100", publish}, {20, "100", withhold},
		}},
		{name: "MinInterval", quantity: "import_power", preset: throttle.Balanced, change: &ten, steps: []step{
			{0, "100", publish}, {1, "3000", withhold}, {4, "3000", withhold}, {5, "3000", publish}, {6, "100", withhold}, {7, "3000", withhold},
		}},
		{name: "a telegram a little early", quantity: "import_power", preset: throttle.Balanced, change: &ten, every: 5 * time.Second, steps: []step{
			{0, "100", publish}, {4.9, "3000", publish}, {8, "100", withhold}, {9.8, "100", publish},
		}},
		// What was published was too little: more of it waits for half of the time, less for all of it.
		{name: "a small change that makes up", quantity: "import_power", preset: throttle.Balanced, change: &ten, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {29, "109", withhold}, {30, "105", publish},
		}},
		{name: "a small change that makes it worse", quantity: "import_power", preset: throttle.Balanced, change: &ten, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {30, "99", withhold}, {31, "99", withhold}, {59, "99", withhold}, {60, "98", publish},
		}},
		// It is not known what was true while nothing came: five minutes are counted of a day, and made up for in as many.
		{name: "nothing is owed for a silence", quantity: "import_power", preset: throttle.Balanced, change: &patient, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {86400, "91", publish}, {86401, "82", withhold}, {86701, "82", again}, {87001, "82", publish},
		}},
		{name: "percent of what was published", quantity: "import_power", preset: throttle.Balanced, change: &percent, steps: []step{
			{0, "1000", publish}, {1, "1049", withhold}, {2, "950", publish}, {3, "997", withhold}, {4, "998", publish}, {5, "100", publish},
			{6, "109", withhold}, {7, "110", publish},
		}},
		{name: "compared as published", quantity: "voltage_l1", decimals: 1, steps: []step{
			{0, "230.04", publish}, {1, "229.95", again}, {2, "230", again}, {3, "230.05", publish}, {4, "230.1", again},
		}},
		{name: "minus zero", quantity: "net_power", steps: []step{
			{0, "0.4", publish}, {1, "-0.4", again}, {2, "-0.5", publish},
		}},
		{name: "the sign of net power", quantity: "net_power", preset: throttle.Balanced, steps: []step{
			{0, "5", publish}, {1, "-2", publish}, {2, "3", withhold}, {6, "3", publish}, {7, "-1", withhold}, {11, "0", withhold}, {12, "-1", publish},
			{61, "-1", withhold}, {62, "4", publish}, {63, "-1", publish}, {64, "2", withhold},
		}},
		{name: "zero has no sign", quantity: "net_power_l3", preset: throttle.Balanced, steps: []step{
			{0, "0", publish}, {6, "3", withhold}, {7, "-3", withhold}, {29, "-3", withhold},
		}},
		{name: "a current has no such right", quantity: "current_l1", preset: throttle.Balanced, decimals: 2, steps: []step{
			{0, "0.05", publish}, {30, "-0.05", withhold}, {59, "-0.05", withhold}, {60, "-0.05", publish},
		}},
		{name: "a counter every minute", quantity: "import_energy", preset: throttle.Balanced, decimals: 3, steps: []step{
			{0, "1.000", publish}, {30, "1.001", withhold}, {59, "1.002", withhold}, {60, "1.002", publish}, {300, "1.002", withhold}, {301, "1.003", publish},
		}},
		{name: "a counter at the hour", quantity: "import_energy", preset: throttle.Balanced, decimals: 3, steps: []step{
			{0, "1.000", publish}, {3580, "2.000", publish}, {3596, "2.000", withhold}, {3597, "2.001", withhold}, {3598, "2.001", withhold}, {3599, "2.002", publish}, {3600, "2.003", publish},
			{3601, "2.004", withhold}, {3659, "2.005", withhold}, {3660, "2.006", publish},
		}},
		{name: "a counter that stands still at the hour", quantity: "import_energy", preset: throttle.Frugal, decimals: 3, steps: []step{
			{3500, "2.000", publish}, {3599, "2.000", withhold}, {3600, "2.000", withhold}, {3601, "2.001", withhold},
		}},
		{name: "a counter each ten seconds", quantity: "gas", preset: throttle.Frugal, decimals: 3, every: 10 * time.Second, steps: []step{
			{3570.1, "2.000", publish}, {3580.1, "2.001", withhold}, {3589.8, "2.002", publish}, {3600.1, "2.003", publish}, {3610, "2.004", withhold},
		}},
		// The learned interval is that of a list without counters.
		{name: "a counter that comes with each fourth telegram", quantity: "gas", preset: throttle.Frugal, decimals: 3, every: 2500 * time.Millisecond, steps: []step{
			{3570, "2.000", publish}, {3580, "2.001", withhold}, {3590, "2.002", publish}, {3600, "2.003", publish},
		}},
		{name: "a status", quantity: "power_failures", preset: throttle.Balanced, steps: []step{
			{0, "1", publish}, {1, "2", publish}, {2, "2", withhold}, {300, "2", withhold}, {301, "2", again}, {302, "2", withhold}, {303, "1", publish},
		}},
		{name: "said again", quantity: "import_power", preset: throttle.Balanced, change: &minutes, steps: []step{
			{0, "100", publish}, {200, "900", withhold}, {300, "900", again}, {301, "900", withhold}, {600, "900", publish}, {899, "900", withhold}, {900, "900", again},
		}},
		{name: "a clock that is set back", quantity: "import_power", preset: throttle.Balanced, steps: []step{
			{1000, "100", publish}, {-5000, "101", publish}, {-4999, "500", withhold}, {-4995, "500", publish}, {-9000, "500", again}, {-8999, "500", withhold},
		}},
		{name: "a clock that is set forward", quantity: "import_power", preset: throttle.Balanced, steps: []step{
			{0, "100", publish}, {1e6, "101", publish}, {1e6 + 1, "500", withhold}, {1e6 + 6, "500", publish},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, plan := named(t, tt.quantity), throttle.NewPlan(tt.preset)
			if tt.change != nil {
				plan.Set(id, *tt.change)
			}
			if tt.every == 0 {
				tt.every = time.Second
			}
			l := throttle.New(plan)
			var got, want []throttle.Decision
			for _, s := range tt.steps {
				got = append(got, l.Decide(noon(s.at), tt.every, id, decimal(t, s.value), tt.decimals, ""))
				want = append(want, s.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	l, id := throttle.New(throttle.NewPlan(throttle.Frugal)), quantity.Tariff
	steps := []step{
		{0, "", publish}, {1, "", withhold}, {2, "0002", publish}, {3, "0001", publish}, {4, "0001", withhold}, {303, "0001", again}, {304, "0002", publish},
	}
	for _, s := range steps {
		if got := l.Decide(noon(s.at), time.Second, id, obis.Decimal{}, 0, s.value); got != s.want {
			t.Errorf("after %v s, %q: got %v, want %v", s.at, s.value, got, s.want)
		}
	}
	if l.Withheld(id) {
		t.Error("a text is to be published at a stop")
	}
}

// TestABatteryAtZero holds a house at zero for an hour, with an error of some watts that changes its sign each second.
func TestABatteryAtZero(t *testing.T) {
	l, id := throttle.New(throttle.NewPlan(throttle.Balanced)), quantity.NetPower
	states := 0
	for second := range 3600 {
		value := obis.Decimal{Coef: int64(second%7) + 1}
		if second%2 == 1 {
			value = value.Neg()
		}
		if l.Decide(noon(float64(second)), time.Second, id, value, 0, "") == throttle.Publish {
			states++
		}
	}
	if most := 3600/5 + 3600/60; states < 600 || states > most {
		t.Errorf("got %d states, want at most %d: one for each MinInterval, and one before its time each MaxSilence", states, most)
	}
}

func TestWithheld(t *testing.T) {
	plan := throttle.NewPlan(throttle.Balanced)
	l := throttle.New(plan)
	energy, power := quantity.ImportEnergy, quantity.ImportPower
	if l.Withheld(energy) {
		t.Error("a counter that was never sent is to be published")
	}
	l.Decide(noon(0), time.Second, energy, decimal(t, "7.0001"), 3, "")
	l.Decide(noon(0), time.Second, power, decimal(t, "100"), 0, "")
	if l.Withheld(energy) {
		t.Error("a counter that was published is to be published again")
	}
	l.Decide(noon(1), time.Second, energy, decimal(t, "7.0004"), 3, "")
	if l.Withheld(energy) {
		t.Error("a counter that did not move to its last decimal is to be published")
	}
	l.Decide(noon(2), time.Second, energy, decimal(t, "7.001"), 3, "")
	l.Decide(noon(2), time.Second, power, decimal(t, "101"), 0, "")
	if !l.Withheld(energy) || !l.Withheld(power) {
		t.Errorf("got %v for the counter and %v for the power, want both", l.Withheld(energy), l.Withheld(power))
	}
	if throttle.New(plan).Withheld(energy) {
		t.Error("two meters share their state")
	}
	l.Forget(energy)
	if l.Withheld(energy) || l.Decide(noon(3), time.Second, energy, decimal(t, "7.001"), 3, "") != throttle.Publish {
		t.Error("what was forgotten is not begun with")
	}
}

// TestWithheldOfText: one that is published seldom is held back as a number is.
func TestWithheldOfText(t *testing.T) {
	plan, id := throttle.NewPlan(throttle.Balanced), quantity.Tariff
	plan.Set(id, throttle.Override{MinInterval: duration(10 * time.Minute)})
	l := throttle.New(plan)
	l.Decide(noon(0), time.Second, id, obis.Decimal{}, 0, "0001")
	if got := l.Decide(noon(1), time.Second, id, obis.Decimal{}, 0, "0002"); got != withhold || !l.Withheld(id) {
		t.Errorf("got %v, to be published at a stop %v", got, l.Withheld(id))
	}
}

// TestNumbersBeyondAll wants an answer to what no meter counts to.
func TestNumbersBeyondAll(t *testing.T) {
	const least, greatest = -1 << 63, 1<<63 - 1
	for _, preset := range []throttle.Preset{throttle.Realtime, throttle.Balanced, throttle.Frugal} {
		l := throttle.New(throttle.NewPlan(preset))
		for i, n := range []obis.Decimal{
			{Coef: greatest, Exp: 100}, {Coef: least, Exp: 100}, {Coef: least, Exp: -100}, {Coef: greatest}, {Coef: least}, {}, {Exp: 127}, {Exp: -128},
			{Coef: least, Exp: -128}, {Coef: 1, Exp: 127},
		} {
			for id := range quantity.Count() {
				l.Decide(noon(float64(i)), -time.Hour, quantity.ID(id), n, uint8(i%2*255), "")
				l.Decide(time.Time{}, 1<<62, quantity.ID(id), n, 3, "")
			}
		}
	}
}

func TestNumbersBeyondAllAreAlike(t *testing.T) {
	l, id := throttle.New(new(throttle.Plan)), quantity.ImportEnergy
	for i, tt := range []struct {
		number obis.Decimal
		want   throttle.Decision
	}{
		{obis.Decimal{Coef: 1, Exp: 100}, publish},
		{obis.Decimal{Coef: 2, Exp: 17}, again},
		{obis.Decimal{Coef: -1, Exp: 100}, publish},
		{obis.Decimal{Coef: 4_000_000_000_000_000_000, Exp: -3}, publish},
		{obis.Decimal{Coef: 4_000_000_000_000_000_001, Exp: -3}, publish},
	} {
		if got := l.Decide(noon(float64(i)), time.Second, id, tt.number, 3, ""); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.number, got, tt.want)
		}
	}
}

func noon(seconds float64) time.Time {
	return time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func duration(d time.Duration) *time.Duration { return &d }

func deadband(t *testing.T, text string) *throttle.Deadband {
	t.Helper()
	d := new(throttle.Deadband)
	if err := d.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d
}

func decimal(t *testing.T, text string) obis.Decimal {
	t.Helper()
	d, err := obis.ParseDecimal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
