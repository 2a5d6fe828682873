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
	tariff1, tariff5 := kilowattHours(t, "1-0:1.8.1", "1.001"), kilowattHours(t, "1-0:1.8.5", "0.500")
	withoutNumber := text(t, "1-0:1.8.5", "ER11")
	for name, tt := range map[string]struct {
		records []obis.Record
		want    string // import_energy; "" for no sample
	}{
		"tariffs 1 and 5":                             {[]obis.Record{tariff1, tariff5}, "1.501 kWh"},
		"tariffs 1, 5 and 6":                          {[]obis.Record{tariff1, tariff5, kilowattHours(t, "1-0:1.8.6", "0.250")}, "1.751 kWh"},
		"tariff 5 without a number":                   {[]obis.Record{tariff1, withoutNumber}, ""},
		"tariff 5 of a past period: not added":        {[]obis.Record{tariff1, kilowattHours(t, "1-0:1.8.5*01", "9")}, "1.001 kWh"},
		"tariff 5 sent twice: added once":             {[]obis.Record{tariff1, tariff5, tariff5}, "1.501 kWh"},
		"tariff 5 in another unit":                    {[]obis.Record{tariff1, number(t, "1-0:1.8.5", "0.5", obis.VarHour, 3)}, ""},
		"tariff 5 of export: not added":               {[]obis.Record{tariff1, kilowattHours(t, "1-0:2.8.5", "9")}, "1.001 kWh"},
		"tariffs 1 and 5, and a total from the meter": {[]obis.Record{kilowattHours(t, "1-0:1.8.0", "2"), tariff1, tariff5}, "2.000 kWh"},
	} {
		got := published(new(quantity.Converter).AppendSamples(nil, tt.records, nil))["import_energy"]
		if got != tt.want {
			t.Errorf("%s: got import_energy %q, want %q", name, got, tt.want)
		}
	}
	scale := new(quantity.Scale)
	scale[quantity.ImportEnergyT1] = obis.Decimal{Coef: 2}
	if got := published(new(quantity.Converter).AppendSamples(nil, []obis.Record{tariff1, tariff5}, scale))["import_energy"]; got != "3.002 kWh" {
		t.Errorf("with factor 2 for tariff 1: got import_energy %q, want 3.002 kWh", got)
	}
}

// TestNetOfPhases: if a meter sends no total power, its net power is the sum of the net powers of all three phases. Groups C of the phases are 21,
// 41 and 61 for import, 22, 42 and 62 for export, and 36, 56 and 76 for net power.
func TestNetOfPhases(t *testing.T) {
	phase := func(groupC, value string) obis.Record { return watts(t, "1-0:"+groupC+".7.0", value) }
	imports := []obis.Record{phase("21", "0"), phase("41", "100"), phase("61", "0")}
	exports := []obis.Record{phase("22", "500"), phase("42", "0"), phase("62", "20")}
	all := append(append([]obis.Record{}, imports...), exports...)
	for name, tt := range map[string]struct {
		records []obis.Record
		want    string // net_power; "" for no sample
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

// TestSplitSignedPower: if a meter has a counter of export, an import power below zero becomes 0, and an export power and a net power are added.
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
		"export power sent: nothing changes": {
			[]obis.Record{counter, watts(t, "1-0:1.7.0", "-1"), watts(t, "1-0:2.7.0", "1")},
			map[string]string{"export_energy": "3.000 kWh", "import_power": "-1 W", "export_power": "1 W", "net_power": "-2 W"},
		},
		"no counter of export: nothing changes": {
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
	for _, tt := range []struct{ name, code, sent, want string }{
		{"hexadecimal digits of ASCII", "0-0:96.13.0", "48656C6C6F2C20776F726C6421", "Hello, world!"},
		{"hexadecimal digits of UTF-8", "0-0:96.13.0", "4B6C617220C3A4", "Klar ä"},
		{"plain text", "0-0:96.13.0", "what? a/b!12AB", "what? a/b!12AB"},
		{"hexadecimal digits of control characters: not decoded", "0-0:96.13.0", "0102", "0102"},
		{"odd number of hexadecimal digits: not decoded", "0-0:96.13.0", "ABC", "ABC"},
		{"empty text", "0-0:96.13.0", "", ""},
		{"only fill bytes", "0-0:96.13.0", strings.Repeat("\xFF", 1024), ""},
		{"hexadecimal digits of fill bytes only", "0-0:96.13.0", strings.Repeat("FF", 16), ""},
		{"hexadecimal digits with fill bytes at the end", "0-0:96.13.0", "48690000", "Hi"},
		{"byte FF within a text: not readable", "0-0:96.13.0", "a\xFFb", ""},
		{"hexadecimal digits of Latin-1: not decoded", "0-0:96.13.0", "436166E9", "436166E9"},
		{"Latin-1", "0-0:96.13.0", "Caf\xE9", "Café"},
		{"Latin-1 with fill bytes", "0-0:96.13.0", "Caf\xE9\xFF\xFF", "Café"},
		{"control character of Latin-1: not readable", "0-0:96.13.0", "Caf\x85", ""},
		{"fill bytes 00", "0-0:96.13.0", "Hi\x00\x00", "Hi"},
		{"hexadecimal digits of two lines", "0-0:96.13.0", "4865\r\n6C6C6F", "Hello"},
		{"plain text of two lines", "0-0:96.13.0", "Hello,\r\nworld", "Hello,\r\nworld"},
		{"tariff in hexadecimal", "0-0:96.14.0", "5431", "T1"},
		{"long tariff in hexadecimal", "0-0:96.14.0", "4E4143485431", "NACHT1"},
		{"hexadecimal digits of a tab: not decoded", "0-0:96.14.0", "5409", "5409"},
		{"two digits: too short to be decoded", "0-0:96.14.0", "31", "31"},
		{"fallback code of the tariff", "0-0:96.14.1", "03", "03"},
		{"breaker in hexadecimal", "0-0:96.3.10", "4F4E", "ON"},
		{"second code of the breaker", "0-0:96.50.68", "ON", "ON"},
		{"hexadecimal digits of the bytes 00 and 02: not decoded", "0-0:96.14.0", "0002", "0002"},
		{"tariff with zero bytes at the end", "0-0:96.14.0", "RATE2\x00\x00\x00", "RATE2"},
		{"tariff of two binary bytes", "0-0:96.14.0", "\x00\x01", "0001"},
	} {
		r := text(t, tt.code, tt.sent)
		got := c.AppendSamples(nil, []obis.Record{r}, nil)
		if len(got) != 1 || string(got[0].Text) != tt.want {
			t.Errorf("%s: got %+v, want %q", tt.name, got, tt.want)
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
