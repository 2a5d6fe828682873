package quantity_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func watts(t *testing.T, code, value string) obis.Record { return number(t, code, value, obis.Watt, 0) }

func kilowattHours(t *testing.T, code, value string) obis.Record {
	return number(t, code, value, obis.WattHour, 3)
}

// TestTariffsWithoutRow: a total is the sum of all tariffs that a meter sends, with or without a row. If a tariff cannot be added, there is
// no total.
func TestTariffsWithoutRow(t *testing.T) {
	first, fifth := kilowattHours(t, "1-0:1.8.1", "1.001"), kilowattHours(t, "1-0:1.8.5", "0.500")
	withoutNumber := text(t, "1-0:1.8.5", "ER11")
	for name, tt := range map[string]struct {
		records []obis.Record
		want    string
	}{
		"fifth tariff":                  {[]obis.Record{first, fifth}, "1.501 kWh"},
		"fifth and sixth tariff":        {[]obis.Record{first, fifth, kilowattHours(t, "1-0:1.8.6", "0.250")}, "1.751 kWh"},
		"fifth tariff without a number": {[]obis.Record{first, withoutNumber}, ""},
		"fifth tariff of a past period": {[]obis.Record{first, kilowattHours(t, "1-0:1.8.5*01", "9")}, "1.001 kWh"},
		"fifth tariff sent twice":       {[]obis.Record{first, fifth, fifth}, "1.501 kWh"},
		"fifth tariff in another unit":  {[]obis.Record{first, number(t, "1-0:1.8.5", "0.5", obis.VarHour, 3)}, ""},
		"fifth tariff of export":        {[]obis.Record{first, kilowattHours(t, "1-0:2.8.5", "9")}, "1.001 kWh"},
		"total sent by the meter":       {[]obis.Record{kilowattHours(t, "1-0:1.8.0", "2"), first, fifth}, "2.000 kWh"},
	} {
		got := published(new(quantity.Converter).AppendSamples(nil, tt.records, nil))["import_energy"]
		if got != tt.want {
			t.Errorf("%s: got import_energy %q, want %q", name, got, tt.want)
		}
	}
	scale := new(quantity.Scale)
	scale[quantity.ImportEnergyT1] = obis.Decimal{Coef: 2}
	if got := published(new(quantity.Converter).AppendSamples(nil, []obis.Record{first, fifth}, scale))["import_energy"]; got != "3.002 kWh" {
		t.Errorf("with factor 2 for tariff 1: got import_energy %q, want 3.002 kWh", got)
	}
}

// TestNetOfPhases: if a meter sends no total power, its net power is the sum of the net powers of all three phases.
func TestNetOfPhases(t *testing.T) {
	phase := func(groupC, value string) obis.Record { return watts(t, "1-0:"+groupC+".7.0", value) }
	imports := []obis.Record{phase("21", "0"), phase("41", "100"), phase("61", "0")}
	exports := []obis.Record{phase("22", "500"), phase("42", "0"), phase("62", "20")}
	all := append(append([]obis.Record{}, imports...), exports...)
	for name, tt := range map[string]struct {
		records []obis.Record
		want    string
	}{
		"import and export of phases": {all, "-420 W"},
		"net power of phases":         {[]obis.Record{phase("36", "-500"), phase("56", "100"), phase("76", "-20")}, "-420 W"},
		"import of phases only":       {imports, ""},
		"net power of two phases":     {[]obis.Record{phase("36", "-500"), phase("56", "100")}, ""},
		"total import sent":           {append([]obis.Record{phase("1", "7")}, all...), ""},
		"total net power sent":        {append([]obis.Record{phase("16", "-419")}, all...), "-419 W"},
	} {
		if got := published(new(quantity.Converter).AppendSamples(nil, tt.records, nil))["net_power"]; got != tt.want {
			t.Errorf("%s: got net_power %q, want %q", name, got, tt.want)
		}
	}
}

// TestSplitSignedPower: if a meter has a counter of export, an import power below zero becomes an export power.
func TestSplitSignedPower(t *testing.T) {
	counter := kilowattHours(t, "1-0:2.8.0", "3")
	for name, tt := range map[string]struct {
		records []obis.Record
		want    map[string]string
	}{
		"import power below zero": {
			[]obis.Record{counter, watts(t, "1-0:1.7.0", "-235.44"), watts(t, "1-0:21.7.0", "100")},
			map[string]string{
				"export_energy": "3.000 kWh", "import_power": "0 W", "export_power": "235 W", "net_power": "-235 W",
				"import_power_l1": "100 W", "export_power_l1": "0 W", "net_power_l1": "100 W",
			},
		},
		"import power above zero": {
			[]obis.Record{counter, watts(t, "1-0:1.7.0", "235")},
			map[string]string{"export_energy": "3.000 kWh", "import_power": "235 W", "export_power": "0 W", "net_power": "235 W"},
		},
		"export power sent": {
			[]obis.Record{counter, watts(t, "1-0:1.7.0", "-1"), watts(t, "1-0:2.7.0", "1")},
			map[string]string{"export_energy": "3.000 kWh", "import_power": "-1 W", "export_power": "1 W", "net_power": "-2 W"},
		},
		"no counter of export": {
			[]obis.Record{watts(t, "1-0:1.7.0", "235")},
			map[string]string{"import_power": "235 W"},
		},
	} {
		got := published(quantity.SplitSignedPower(new(quantity.Converter).AppendSamples(nil, tt.records, nil)))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}

// TestTextMessages: the text of a sample is readable UTF-8. The codes are text_message (96.13.0), tariff (96.14.0 and 96.14.1) and breaker
// (96.3.10 and 96.50.68).
func TestTextMessages(t *testing.T) {
	c := quantity.Converter{HexText: true} // for ASCII telegrams
	for _, tt := range []struct{ code, sent, want string }{
		{"0-0:96.13.0", "48656C6C6F2C20776F726C6421", "Hello, world!"},
		{"0-0:96.13.0", "4B6C617220C3A4", "Klar ä"},
		{"0-0:96.13.0", "what? a/b!12AB", "what? a/b!12AB"},
		{"0-0:96.13.0", "0102", "0102"},
		{"0-0:96.13.0", "ABC", "ABC"},
		{"0-0:96.13.0", "", ""},
		{"0-0:96.13.0", strings.Repeat("\xFF", 1024), ""},
		{"0-0:96.13.0", strings.Repeat("FF", 16), ""},
		{"0-0:96.13.0", "48690000", "Hi"},
		{"0-0:96.13.0", "a\xFFb", ""},
		{"0-0:96.13.0", "436166E9", "436166E9"},
		{"0-0:96.13.0", "Caf\xE9", "Café"},
		{"0-0:96.13.0", "Caf\xE9\xFF\xFF", "Café"},
		{"0-0:96.13.0", "Caf\x85", ""},
		{"0-0:96.13.0", "Hi\x00\x00", "Hi"},
		{"0-0:96.13.0", "4865\r\n6C6C6F", "Hello"},
		{"0-0:96.13.0", "Hello,\r\nworld", "Hello,\r\nworld"},
		{"0-0:96.14.0", "5431", "T1"},
		{"0-0:96.14.0", "4E4143485431", "NACHT1"},
		{"0-0:96.14.0", "5409", "5409"},
		{"0-0:96.14.0", "31", "31"},
		{"0-0:96.14.1", "03", "03"},
		{"0-0:96.3.10", "4F4E", "ON"},
		{"0-0:96.50.68", "ON", "ON"},
		{"0-0:96.14.0", "0002", "0002"},
		{"0-0:96.14.0", "RATE2\x00\x00\x00", "RATE2"},
		{"0-0:96.14.0", "\x00\x01", "0001"},
	} {
		r := text(t, tt.code, tt.sent)
		got := c.AppendSamples(nil, []obis.Record{r}, nil)
		if len(got) != 1 || string(got[0].Text) != tt.want {
			t.Errorf("%s(%.20q): got %+v, want %q", tt.code, tt.sent, got, tt.want)
		}
	}
	binary := new(quantity.Converter).AppendSamples(nil, []obis.Record{text(t, "0-0:96.13.0", "40414243")}, nil)
	if len(binary) != 1 || string(binary[0].Text) != "40414243" {
		t.Errorf("message of a binary telegram: got %+v, want the text 40414243 unchanged", binary)
	}
	r := []obis.Record{text(t, "0-0:96.13.0", "48656C6C6F")}
	dst := make([]quantity.Sample, 0, 4)
	if n := testing.AllocsPerRun(100, func() { c.AppendSamples(dst, r, nil) }); n != 0 {
		t.Errorf("AppendSamples of a message: got %v allocations, want 0", n)
	}
}
