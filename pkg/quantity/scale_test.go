package quantity_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestScale: numbers that a meter sends are multiplied by their factor. Derived values are computed from the products.
func TestScale(t *testing.T) {
	scale := quantity.Scale{
		quantity.ImportPower: {Coef: 60}, quantity.ExportPower: {Coef: 6, Exp: 1}, quantity.ImportEnergyT1: {Coef: 5, Exp: -1},
		quantity.CurrentL1: {Coef: 1234, Exp: -4}, quantity.VoltageL1: {Coef: 10000, Exp: -4}, quantity.Gas: {Coef: 2},
		quantity.Frequency: {Coef: 10}, quantity.PowerFactor: {Coef: 2, Exp: -1}, quantity.Tariff: {Coef: 7},
	}
	records := []obis.Record{
		number(t, "1-0:1.7.0", "0000.345", obis.Watt, 3),
		number(t, "1-0:2.7.0", "0000.045", obis.Watt, 3),
		number(t, "1-0:1.8.1", "1.001", obis.WattHour, 3),
		number(t, "1-0:1.8.2", "2.002", obis.WattHour, 3),
		number(t, "1-0:31.7.0", "1.23", obis.Ampere, 0),
		number(t, "1-0:32.7.0", "230.0", obis.Volt, 0),
		number(t, "1-0:13.7.0", "4.556", obis.None, 0),
		// The product of frequency and factor overflows, so there is no sample of the frequency.
		{Code: obis.Code{1, 0, 14, 7, 0, 255}, Kind: obis.Number, Unit: obis.Hertz, Value: obis.Decimal{Coef: math.MaxInt64}},
		text(t, "0-0:96.14.0", "0002"),
		text(t, "0-1:24.1.0", "003"),
		number(t, "0-1:24.2.1", "1.5", obis.CubicMetre, 0),
	}
	want := map[string]string{
		"import_power": "20700 W", "export_power": "2700 W", "net_power": "18000 W", "import_energy_t1": "0.501 kWh",
		"import_energy_t2": "2.002 kWh", "import_energy": "2.503 kWh", "current_l1": "0.152 A", "voltage_l1": "230.0 V",
		"power_factor": "0.911 ", "gas": "3.000 m³",
		"tariff": "0 ", // a text: published does not show it
	}
	dst := make([]quantity.Sample, 0, quantity.Count())
	if diff := cmp.Diff(want, published(new(quantity.Converter).AppendSamples(dst, records, &scale))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := testing.AllocsPerRun(100, func() { new(quantity.Converter).AppendSamples(dst, records, &scale) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// TestPowerFactor: a power factor above 1 or below -1 gives no sample.
func TestPowerFactor(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // "" for no sample
	}{
		{"0.992", "0.992 "},
		{"1.000", "1.000 "},
		{"-1", "-1.000 "},
		{"1.001", ""},
		{"4.556", ""},
		{"-1.001", ""},
	} {
		for _, unit := range []obis.Unit{obis.None, obis.Count} {
			for code, name := range map[string]string{"1-0:13.7.0": "power_factor", "1-0:33.7.0": "power_factor_l1", "1-0:53.7.0": "power_factor_l2"} {
				got := published(new(quantity.Converter).AppendSamples(nil, []obis.Record{number(t, code, tt.value, unit, 0)}, nil))[name]
				if got != tt.want {
					t.Errorf("%s = %s: got %q, want %q", code, tt.value, got, tt.want)
				}
			}
		}
	}
}

// TestUnits: a number becomes a sample in the published unit. It gives no sample (want is "") if its quantity cannot have its unit.
func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		code, value string
		unit        obis.Unit
		prefix      int8
		want        string
	}{
		{"0-0:17.0.0", "999.9", obis.Watt, 3, "power_limit 999900 W"},
		{"0-0:17.0.0", "69.0", obis.VoltAmpere, 3, "power_limit 69000 VA"},
		{"0-0:17.0.0", "016", obis.Ampere, 0, "power_limit 16 A"},
		{"0-0:17.0.0", "16500", obis.None, 0, ""},
		{"1-0:31.4.0", "200.00", obis.Ampere, 0, "fuse_limit 200.00 A"},
		{"1-0:1.6.0", "02.589", obis.Watt, 3, "month_peak_demand 2589 W"},
		{"1-1:1.6.0", "15.206", obis.Watt, 3, "month_peak_demand 15206 W"},
		{"1-0:1.4.0", "00.288", obis.Watt, 3, "import_demand 288 W"},
		{"1-0:2.24.0", "00.288", obis.Watt, 3, "export_demand 288 W"},
		{"0-0:96.7.21", "00003", obis.None, 0, "power_failures 3 "},
		{"0-0:96.7.9", "3", obis.Count, 0, "long_power_failures 3 "},
		{"1-0:32.32.0", "00001", obis.None, 0, "voltage_sags_l1 1 "},
		{"1-0:52.7.0", "000.0", obis.Volt, 0, "voltage_l2 0.0 V"},
		{"1-0:15.8.0", "000800.817", obis.WattHour, 3, "absolute_energy 800.817 kWh"},
		{"1-0:1.8.0", "00032549.5061662", obis.WattHour, 3, "import_energy 32549.506 kWh"},
		{"1-0:3.8.2", "000000747", obis.VarHour, 0, "import_reactive_energy_t2 0.747 kvarh"},
		{"1-0:9.7.0", "00.021", obis.VoltAmpere, 3, "import_apparent_power 21 VA"},
		{"1-0:8.7.0", "00.051", obis.Var, 3, "reactive_power_q4 51 var"},
		{"1-0:14.7.0", "50.00", obis.Hertz, 0, "frequency 50.00 Hz"},
		{"1-0:1.7.0", "1", obis.WattHour, 0, ""},
	} {
		got := ""
		if s := new(quantity.Converter).AppendSamples(nil, []obis.Record{number(t, tt.code, tt.value, tt.unit, tt.prefix)}, nil); len(s) > 0 {
			got = s[0].ID.String() + " " + published(s[:1])[s[0].ID.String()]
		}
		if got != tt.want {
			t.Errorf("%s(%s): got %q, want %q", tt.code, tt.value, got, tt.want)
		}
	}
}

// TestTexts: a tariff or breaker that is sent as a number from 0 to 9 becomes a text. Other numbers give no sample.
func TestTexts(t *testing.T) {
	for _, tt := range []struct {
		in         obis.Record
		want       string
		wantSample bool // the record must give a sample
	}{
		{text(t, "0-0:96.14.0", "0002"), "0002", true},
		{text(t, "0-0:96.13.0", ""), "", true},
		{number(t, "0-0:96.3.10", "1", obis.None, 0), "1", true},
		{number(t, "0-0:96.14.0", "9", obis.Count, 0), "9", true},
		{number(t, "0-0:96.14.0", "10", obis.None, 0), "", false},
		{number(t, "0-0:96.14.0", "-1", obis.None, 0), "", false},
		{number(t, "0-0:96.14.0", "0.5", obis.None, 0), "", false},
		{obis.Record{Code: obis.Code{0, 0, 96, 14, 0, 255}}, "", false},
	} {
		got := new(quantity.Converter).AppendSamples(nil, []obis.Record{tt.in}, nil)
		if (len(got) == 1) != tt.wantSample || tt.wantSample && string(got[0].Text) != tt.want {
			t.Errorf("%v, value %v, text %q: got %v, want text %q, sample %v", tt.in.Code, tt.in.Value, tt.in.Text, got, tt.want, tt.wantSample)
		}
	}
}
