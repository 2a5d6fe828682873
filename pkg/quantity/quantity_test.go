package quantity_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestByCode: ByCode returns the row of a code. want is "" for a code without a row.
func TestByCode(t *testing.T) {
	for _, tt := range []struct {
		code, want string
	}{
		{"1-0:1.7.0", "import_power"},
		{"1-1:1.7.0", "import_power"},
		{"0-0:1.8.0", "import_energy"},
		{"1-0:61.7.0", "import_power_l3"},
		{"1-0:52.7.0", "voltage_l2"},
		{"1-0:2.8.4", "export_energy_t4"},
		{"1-0:8.8.0", "reactive_energy_q4"},
		{"1-0:1.24.0", "import_demand"},
		{"1-0:72.36.0", "voltage_swells_l3"},
		{"1-0:1.8.0*1", ""}, // a past billing period
		{"7-0:1.8.0", ""},   // medium 7: gas
		{"0-0:96.3.10", "breaker"},
		{"0-1:96.3.10", ""}, // channel 1: a relay
		{"1-0:0.4.2", ""},   // a transformer ratio
		{"0-0:1.0.0", ""},   // the clock
	} {
		code, err := obis.ParseCode(tt.code)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if id, ok := quantity.ByCode(code); ok {
			got = id.String()
		}
		if got != tt.want {
			t.Errorf("ByCode(%s): got %q, want %q", tt.code, got, tt.want)
		}
	}
}

// TestByName: all rows have different names, and ByName finds each row.
func TestByName(t *testing.T) {
	seen := map[string]bool{}
	for i, row := range quantity.Rows() {
		if seen[row.Name] {
			t.Errorf("two rows are named %s", row.Name)
		}
		seen[row.Name] = true
		if id, ok := quantity.ByName(row.Name); !ok || int(id) != i {
			t.Errorf("ByName(%s): got %d %v, want %d", row.Name, id, ok, i)
		}
	}
}

// number returns a record with a number in unit u. prefix is the power of ten of the unit's prefix: 3 for a value in kW.
func number(t *testing.T, code, value string, u obis.Unit, prefix int8) obis.Record {
	t.Helper()
	c, err := obis.ParseCode(code)
	if err != nil {
		t.Fatal(err)
	}
	v, err := obis.ParseDecimal([]byte(value))
	if err != nil {
		t.Fatal(err)
	}
	return obis.Record{Code: c, Kind: obis.Number, Unit: u, Value: v.Shift(prefix)}
}

// TestAppendSamples: samples are in the published units, and net power and the sum of the tariffs are derived.
func TestAppendSamples(t *testing.T) {
	records := []obis.Record{
		number(t, "1-0:1.7.0", "0000.345", obis.Watt, 3),
		number(t, "1-0:2.7.0", "0001.000", obis.Watt, 3),
		number(t, "1-0:2.7.0", "0009.000", obis.Watt, 3), // export_power a second time: ignored
		number(t, "1-0:32.7.0", "230.0", obis.Volt, 0),
		number(t, "1-0:31.7.0", "-000.6", obis.Ampere, 0),
		number(t, "1-0:51.7.0", "7", obis.Watt, 0), // current_l2 in watts: ignored
		number(t, "1-0:1.8.1", "1.001", obis.WattHour, 3),
		number(t, "1-0:1.8.2", "2.002", obis.WattHour, 3),
		number(t, "0-0:17.0.0", "999.9", obis.Watt, 3),
	}
	want := map[string]string{
		"import_power": "345", "export_power": "1000", "voltage_l1": "230.0", "current_l1": "-0.6",
		"import_energy_t1": "1.001", "import_energy_t2": "2.002", "power_limit": "999900",
		"net_power": "-655", "import_energy": "3.003",
	}
	dst := make([]quantity.Sample, 0, quantity.Count())
	got := new(quantity.Converter).AppendSamples(dst, records, nil)
	for _, s := range got {
		text := string(s.Value.AppendFixed(nil, s.Decimals()))
		if text != want[s.ID.String()] {
			t.Errorf("%s: got %s, want %q", s.ID, text, want[s.ID.String()])
		}
		delete(want, s.ID.String())
	}
	if len(want) > 0 {
		t.Errorf("no samples of these quantities: %v", want)
	}
	if n := testing.AllocsPerRun(100, func() { new(quantity.Converter).AppendSamples(dst, records, nil) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
