package throttle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A step is a value in a telegram, and the decision that must follow.
type step struct {
	seconds float64 // after noon
	value   string
	want    throttle.Decision
}

const (
	withhold = throttle.Withhold
	publish  = throttle.Publish
	repeat   = throttle.Repeat
)

// TestRules tests the rules of the package comment. Each row tests one rule for one quantity.
func TestRules(t *testing.T) {
	deadband10 := throttle.Override{MinInterval: duration(5 * time.Second), Deadband: deadband(t, "10"), MaxSilence: duration(time.Minute)}
	deadband5Percent := throttle.Override{MinInterval: duration(0), Deadband: deadband(t, "10 5%"), MaxSilence: duration(time.Minute)}
	maxSilence20Min := throttle.Override{MinInterval: duration(0), Deadband: deadband(t, "10"), MaxSilence: duration(20 * time.Minute)}
	minInterval10Min := throttle.Override{MinInterval: duration(10 * time.Minute)}
	tests := []struct {
		name, quantity string
		preset         throttle.Preset
		override       *throttle.Override
		decimals       uint8
		interval       time.Duration // one second if it is 0
		steps          []step
	}{
		{name: "realtime publishes every change and repeats in every telegram", quantity: "import_power", steps: []step{
			{0, "5", publish}, {1, "6", publish}, {2, "6", repeat}, {3, "6", repeat}, {3, "7", publish}, {4, "6.6", repeat},
		}},
		{name: "a change that reaches the deadband", quantity: "import_power", preset: throttle.Balanced, override: &deadband10, steps: []step{
			{0, "100", publish}, {6, "109", withhold}, {7, "110", publish}, {13, "101", withhold}, {14, "100", publish}, {20, "100", withhold},
		}},
		{name: "a large change waits for MinInterval", quantity: "import_power", preset: throttle.Balanced, override: &deadband10, steps: []step{
			{0, "100", publish}, {1, "3000", withhold}, {4, "3000", withhold}, {5, "3000", publish}, {6, "100", withhold}, {7, "3000", withhold},
		}},
		{name: "a telegram a little early", quantity: "import_power", preset: throttle.Balanced, override: &deadband10, interval: 5 * time.Second, steps: []step{
			{0, "100", publish}, {4.9, "3000", publish}, {8, "100", withhold}, {9.8, "100", publish},
		}},
		// The published value was too low. A withheld rise increases the error of the mean, and waits for half of MaxSilence. A withheld
		// fall reduces the error, and waits for all of MaxSilence.
		{name: "a small change that increases the error while withheld", quantity: "import_power", preset: throttle.Balanced, override: &deadband10, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {29, "109", withhold}, {30, "105", publish},
		}},
		{name: "a small change that reduces the error while withheld", quantity: "import_power", preset: throttle.Balanced, override: &deadband10, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {30, "99", withhold}, {31, "99", withhold}, {59, "99", withhold}, {60, "98", publish},
		}},
		// A day without telegrams counts as 5 minutes of error. Withholding a fall for 5 minutes cancels this error.
		{name: "a long silence adds little error", quantity: "import_power", preset: throttle.Balanced, override: &maxSilence20Min, steps: []step{
			{0, "100", publish}, {1, "109", withhold}, {86400, "91", publish}, {86401, "82", withhold}, {86701, "82", repeat}, {87001, "82", publish},
		}},
		{name: "a deadband in percent of the published value", quantity: "import_power", preset: throttle.Balanced, override: &deadband5Percent, steps: []step{
			{0, "1000", publish}, {1, "1049", withhold}, {2, "950", publish}, {3, "997", withhold}, {4, "998", publish}, {5, "100", publish},
			{6, "109", withhold}, {7, "110", publish},
		}},
		{name: "values are compared as they are published", quantity: "voltage_l1", decimals: 1, steps: []step{
			{0, "230.04", publish}, {1, "229.95", repeat}, {2, "230", repeat}, {3, "230.05", publish}, {4, "230.1", repeat},
		}},
		{name: "a negative number that rounds to zero is equal to zero", quantity: "net_power", steps: []step{
			{0, "0.4", publish}, {1, "-0.4", repeat}, {2, "-0.5", publish},
		}},
		{name: "a change of the sign of net power is published early, once in each MaxSilence", quantity: "net_power", preset: throttle.Balanced, steps: []step{
			{0, "5", publish}, {1, "-2", publish}, {2, "3", withhold}, {6, "3", publish}, {7, "-1", withhold}, {11, "0", withhold}, {12, "-1", publish},
			{61, "-1", withhold}, {62, "4", publish}, {63, "-1", publish}, {64, "2", withhold},
		}},
		{name: "a change from zero is no change of sign", quantity: "net_power_l3", preset: throttle.Balanced, steps: []step{
			{0, "0", publish}, {6, "3", withhold}, {7, "-3", withhold}, {29, "-3", withhold},
		}},
		{name: "a change of the sign of a current is not published early", quantity: "current_l1", preset: throttle.Balanced, decimals: 2, steps: []step{
			{0, "0.05", publish}, {30, "-0.05", withhold}, {59, "-0.05", withhold}, {60, "-0.05", publish},
		}},
		{name: "a counter is published once a minute", quantity: "import_energy", preset: throttle.Balanced, decimals: 3, steps: []step{
			{0, "1.000", publish}, {30, "1.001", withhold}, {59, "1.002", withhold}, {60, "1.002", publish}, {300, "1.002", withhold}, {301, "1.003", publish},
		}},
		{name: "a counter is published next to a full hour", quantity: "import_energy", preset: throttle.Balanced, decimals: 3, steps: []step{
			{0, "1.000", publish}, {3580, "2.000", publish}, {3596, "2.000", withhold}, {3597, "2.001", withhold}, {3598, "2.001", withhold}, {3599, "2.002", publish}, {3600, "2.003", publish},
			{3601, "2.004", withhold}, {3659, "2.005", withhold}, {3660, "2.006", publish},
		}},
		{name: "a counter that does not change is not published at a full hour", quantity: "import_energy", preset: throttle.Frugal, decimals: 3, steps: []step{
			{3500, "2.000", publish}, {3599, "2.000", withhold}, {3600, "2.000", withhold}, {3601, "2.001", withhold},
		}},
		{name: "a counter next to a full hour, with a telegram every ten seconds", quantity: "gas", preset: throttle.Frugal, decimals: 3, interval: 10 * time.Second, steps: []step{
			{3570.1, "2.000", publish}, {3580.1, "2.001", withhold}, {3589.8, "2.002", publish}, {3600.1, "2.003", publish}, {3610, "2.004", withhold},
		}},
		// The interval that the bridge has learned is the interval of all telegrams.
		{name: "a counter next to a full hour, in each fourth telegram", quantity: "gas", preset: throttle.Frugal, decimals: 3, interval: 2500 * time.Millisecond, steps: []step{
			{3570, "2.000", publish}, {3580, "2.001", withhold}, {3590, "2.002", publish}, {3600, "2.003", publish},
		}},
		{name: "a status is published at once", quantity: "power_failures", preset: throttle.Balanced, steps: []step{
			{0, "1", publish}, {1, "2", publish}, {2, "2", withhold}, {300, "2", withhold}, {301, "2", repeat}, {302, "2", withhold}, {303, "1", publish},
		}},
		{name: "a published value is repeated after five minutes", quantity: "import_power", preset: throttle.Balanced, override: &minInterval10Min, steps: []step{
			{0, "100", publish}, {200, "900", withhold}, {300, "900", repeat}, {301, "900", withhold}, {600, "900", publish}, {899, "900", withhold}, {900, "900", repeat},
		}},
		{name: "a clock that is set back", quantity: "import_power", preset: throttle.Balanced, steps: []step{
			{1000, "100", publish}, {-5000, "101", publish}, {-4999, "500", withhold}, {-4995, "500", publish}, {-9000, "500", repeat}, {-8999, "500", withhold},
		}},
		{name: "a clock that is set forward", quantity: "import_power", preset: throttle.Balanced, steps: []step{
			{0, "100", publish}, {1e6, "101", publish}, {1e6 + 1, "500", withhold}, {1e6 + 6, "500", publish},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, plan := named(t, tt.quantity), throttle.NewPlan(tt.preset)
			if tt.override != nil {
				plan.Set(id, *tt.override)
			}
			if tt.interval == 0 {
				tt.interval = time.Second
			}
			th := throttle.New(plan)
			var got, want []throttle.Decision
			for _, s := range tt.steps {
				got = append(got, th.Decide(noon(s.seconds), tt.interval, id, decimal(t, s.value), tt.decimals, ""))
				want = append(want, s.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

// noon returns the time that is the given seconds after noon.
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
