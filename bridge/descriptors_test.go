package bridge

import (
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestCadence checks the rounded interval of a quantity after a sequence of gaps.
func TestCadence(t *testing.T) {
	tests := []struct {
		name string
		gaps []time.Duration
		want time.Duration
	}{
		{"one value", nil, time.Minute},
		{"one gap, which is not enough", []time.Duration{time.Hour}, time.Minute},
		{"every 2 s", []time.Duration{2 * time.Second, 2 * time.Second}, time.Minute},
		{"every hour", []time.Duration{time.Hour, time.Hour}, time.Hour},
		{"every 15 min", []time.Duration{15 * time.Minute, 15 * time.Minute}, 15 * time.Minute},
		{"once a day", []time.Duration{24 * time.Hour, 24 * time.Hour}, 24 * time.Hour},
		{"one hourly list was lost", []time.Duration{time.Hour, time.Hour, 2 * time.Hour, time.Hour}, time.Hour},
		{"an outage of five hours", []time.Duration{time.Second, time.Second, 5 * time.Hour, time.Second}, time.Minute},
		{"first every hour, then every second", []time.Duration{time.Hour, time.Hour, time.Second, time.Second}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c cadence
			now := time.Unix(1_800_000_000, 0)
			c.addValue(now)
			for _, gap := range tt.gaps {
				now = now.Add(gap)
				c.addValue(now)
			}
			if got := c.roundedInterval(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestCadenceOfOneValue checks that a quantity that came once counts as hourly after ten minutes.
func TestCadenceOfOneValue(t *testing.T) {
	var c cadence
	c.addValue(time.Unix(1_800_000_000, 0))
	if c.addMissing(9 * time.Minute); c.roundedInterval() != time.Minute {
		t.Errorf("after 9 min: got %v, want a minute", c.roundedInterval())
	}
	if c.addMissing(11 * time.Minute); c.roundedInterval() != time.Hour {
		t.Errorf("after 11 min: got %v, want an hour", c.roundedInterval())
	}
}

// TestCadenceChangesDescriptors checks that the descriptors change if the rounded interval of a quantity changes, and only then.
func TestCadenceChangesDescriptors(t *testing.T) {
	var d descriptors
	now := time.Unix(1_800_000_000, 0)
	var got []time.Duration
	collect := func() {
		for _, q := range d.takeChanged() {
			got = append(got, q.Every)
		}
	}
	for _, gap := range []time.Duration{0, time.Hour, time.Hour, time.Hour} {
		now = now.Add(gap)
		d.value(&quantity.Sample{ID: quantity.ImportEnergy}, now)
		collect()
	}
	d = descriptors{} // from here on, the quantity comes only once
	d.value(&quantity.Sample{ID: quantity.ImportEnergy}, now)
	for _, missing := range []time.Duration{0, 9 * time.Minute, 11 * time.Minute, 12 * time.Minute} {
		d.expire(now.Add(missing), now)
		collect()
	}
	if want := []time.Duration{time.Minute, time.Hour, time.Minute, time.Hour}; !slices.Equal(got, want) {
		t.Errorf("announced intervals: got %v, want %v", got, want)
	}
}

// TestExpireAfterSilence checks that quantities of a replaced meter do not expire while the new meter is silent, because
// the new meter cannot send its hourly list in that time.
func TestExpireAfterSilence(t *testing.T) {
	var d descriptors
	start := time.Unix(1_800_000_000, 0)
	d.value(&quantity.Sample{ID: quantity.ImportEnergy}, start)
	d.meterChangedAt = start.Add(time.Minute)
	sendsAgain := start.Add(3 * time.Hour)
	if expired := d.expire(sendsAgain, sendsAgain); len(expired) > 0 {
		t.Errorf("expired when the meter sends again: %v, want none", expired)
	}
	if expired := d.expire(sendsAgain.Add(expireAfterMeterChange), sendsAgain); len(expired) != 1 {
		t.Errorf("expired after %v of telegrams: %v, want the quantity of the replaced meter", expireAfterMeterChange, expired)
	}
}

// quantityNamed returns the quantity with a name, which must exist.
func quantityNamed(t testing.TB, name string) quantity.ID {
	t.Helper()
	id, ok := quantity.ByName(name)
	if !ok {
		t.Fatalf("no quantity %q", name)
	}
	return id
}

// TestValueDecimals checks that all values of a quantity have the same number of decimals.
func TestValueDecimals(t *testing.T) {
	tests := []struct {
		name, quantity string
		sent           []obis.Decimal
		want           []string
	}{
		{"as many decimals as the row of the quantity has", "voltage_l1", []obis.Decimal{{Coef: 230}, {Coef: 2307, Exp: -1}}, []string{"230.0", "230.7"}},
		{"as many decimals as the meter first sent", "current_l1", []obis.Decimal{{Coef: 12, Exp: -1}, {Coef: 3}}, []string{"1.2", "3.0"}},
		{"no decimals if the meter first sent none", "current_l1", []obis.Decimal{{Coef: 2}, {Coef: 3}}, []string{"2", "3"}},
		{"three decimals at most", "current_l1", []obis.Decimal{{Coef: 12344, Exp: -4}}, []string{"1.234"}},
		{"a negative number", "net_power", []obis.Decimal{{Coef: -1727}}, []string{"-1727"}},
		{"a counter with decimals, then without", "import_energy", []obis.Decimal{{Coef: 10049414, Exp: -3}, {Coef: 10049414}}, []string{"10049.414", "10049414.000"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d descriptors
			id := quantityNamed(t, tt.quantity)
			for i, sent := range tt.sent {
				v := d.value(&quantity.Sample{ID: id, Value: sent}, time.Now())
				if got := string(v.Append(nil)); got != tt.want[i] {
					t.Errorf("value %d: got %q, want %q", i, got, tt.want[i])
				}
			}
		})
	}
}

// TestValueText checks that a Value does not share its text with the telegram, whose bytes are overwritten by the next telegram.
func TestValueText(t *testing.T) {
	var d descriptors
	text := []byte("tonight")
	id := quantity.TextMessage
	first := d.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	copy(text, "earlier")
	second := d.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	if first.Text != "tonight" || second.Text != "earlier" {
		t.Errorf("got %q and %q, want tonight and earlier", first.Text, second.Text)
	}
}
