package bridge

import (
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestDerive checks that the step makes the values of a telegram, tells which quantities the meter sends, and says nothing when nothing is new.
func TestDerive(t *testing.T) {
	var d deriver
	samples := []quantity.Sample{{ID: quantity.ImportPower, Value: obis.Decimal{Coef: 1727}}, {ID: quantity.ImportEnergy, Value: obis.Decimal{Coef: 1000}}}
	first := d.derive(samples, start, false)
	if len(first.values) != 2 || string(first.values[1].Append(nil)) != "1000.000" || len(first.descriptors) != 2 {
		t.Errorf("first telegram: got %+v, want two values and two descriptors", first)
	}
	if second := d.derive(samples[:1], start.Add(time.Second), false); len(second.values) != 1 || second.descriptors != nil || second.expired != nil {
		t.Errorf("second telegram: got %+v, want one value and nothing else", second)
	}
}

// TestDeriveNewMeter checks that the quantities that only a replaced meter has sent expire after 70 min.
func TestDeriveNewMeter(t *testing.T) {
	var d deriver
	power, energy := []quantity.Sample{{ID: quantity.ImportPower}}, []quantity.Sample{{ID: quantity.ImportEnergy}}
	d.derive(energy, start, false)
	d.derive(power, start.Add(time.Minute), true)
	at := start
	for range 70 {
		at = at.Add(time.Minute)
		if got := d.derive(power, at, false); got.expired != nil {
			t.Fatalf("after %v: got %v expired, want none", at.Sub(start), got.expired)
		}
	}
	if got := d.derive(power, at.Add(time.Minute), false); !slices.Equal(got.expired, []quantity.ID{quantity.ImportEnergy}) {
		t.Errorf("got %v expired, want import_energy", got.expired)
	}
}

// start is when the first telegram arrives in tests of the steps.
var start = time.Unix(1_800_000_000, 0)

// TestCadenceChangesDescriptors checks that the descriptors change if the rounded interval of a quantity changes, and only then.
func TestCadenceChangesDescriptors(t *testing.T) {
	var d deriver
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
	d = deriver{sendingSince: now} // from here on, the quantity comes only once
	d.value(&quantity.Sample{ID: quantity.ImportEnergy}, now)
	for _, missing := range []time.Duration{0, 9 * time.Minute, 11 * time.Minute, 12 * time.Minute} {
		d.expire(now.Add(missing))
		collect()
	}
	if want := []time.Duration{time.Minute, time.Hour, time.Minute, time.Hour}; !slices.Equal(got, want) {
		t.Errorf("announced intervals: got %v, want %v", got, want)
	}
}

// TestExpireAfterSilence checks that quantities of a replaced meter do not expire while the new meter is silent, because
// the new meter cannot send its hourly list in that time.
func TestExpireAfterSilence(t *testing.T) {
	var d deriver
	start := time.Unix(1_800_000_000, 0)
	d.value(&quantity.Sample{ID: quantity.ImportEnergy}, start)
	d.replacedAt = start.Add(time.Minute)
	sendsAgain := start.Add(3 * time.Hour)
	d.sendingSince = sendsAgain
	if expired := d.expire(sendsAgain); len(expired) > 0 {
		t.Errorf("expired when the meter sends again: %v, want none", expired)
	}
	if expired := d.expire(sendsAgain.Add(expireAfterMeterChange)); len(expired) != 1 {
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
			var d deriver
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
	var d deriver
	text := []byte("tonight")
	id := quantity.TextMessage
	first := d.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	copy(text, "earlier")
	second := d.value(&quantity.Sample{ID: id, Text: text}, time.Now())
	if first.Text != "tonight" || second.Text != "earlier" {
		t.Errorf("got %q and %q, want tonight and earlier", first.Text, second.Text)
	}
}
