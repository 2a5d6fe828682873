package obis_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestParseUnit tests that units are read with their prefix, in upper and lower case.
func TestParseUnit(t *testing.T) {
	for _, tt := range []struct {
		in     string
		want   obis.Unit
		prefix int8
	}{
		{"kWh", obis.WattHour, 3},
		{"Wh", obis.WattHour, 0},
		{"MWh", obis.WattHour, 6},
		{"kW", obis.Watt, 3},
		{"W", obis.Watt, 0},
		{"MW", obis.Watt, 6},
		{"kVArh", obis.VarHour, 3},
		{"VArh", obis.VarHour, 0},
		{"kVAr", obis.Var, 3},
		{"VAr", obis.Var, 0},
		{"VA", obis.VoltAmpere, 0},
		{"kVA", obis.VoltAmpere, 3},
		{"VAh", obis.VoltAmpereHour, 0},
		{"kVAh", obis.VoltAmpereHour, 3},
		{"V", obis.Volt, 0},
		{"A", obis.Ampere, 0},
		{"Hz", obis.Hertz, 0},
		{"m3", obis.CubicMetre, 0},
		{"GJ", obis.Joule, 9},
		{"MJ", obis.Joule, 6},
		{"s", obis.Second, 0},
		{"%", obis.Percent, 0},
		{"MVAr", obis.Var, 6},
		{"MVArh", obis.VarHour, 6},
		{"MVA", obis.VoltAmpere, 6},
		{"mA", obis.Ampere, -3},
		{"mV", obis.Volt, -3},
		{"kV", obis.Volt, 3},
		{"J", obis.Joule, 0},
		{"kJ", obis.Joule, 3},
		{"Nm3", obis.CubicMetreCorrected, 0},
		{"dm3", obis.CubicMetre, -3},
		{"m³", obis.CubicMetre, 0},
		{"m3/h", obis.CubicMetrePerHour, 0},
		{"l", obis.Litre, 0},
		{"deg", obis.Degree, 0},
		{"°", obis.Degree, 0},
		{"imp", obis.Count, 0},
		{"min", obis.Minute, 0},
		{"h", obis.Hour, 0},
	} {
		for _, text := range []string{tt.in, strings.ToLower(tt.in), strings.ToUpper(tt.in)} {
			got, prefix, ok := obis.ParseUnit([]byte(text))
			if got != tt.want || prefix != tt.prefix || !ok {
				t.Errorf("ParseUnit(%q) = %v, %d, %v; want %v, %d", text, got, prefix, ok, tt.want, tt.prefix)
			}
		}
	}
}

// TestParseUnitDamaged tests that ParseUnit does not read a damaged unit as a similar unit. The last four texts have control characters, which
// would become other characters if ParseUnit set bit 5 of each byte.
func TestParseUnitDamaged(t *testing.T) {
	for _, in := range []string{"", "k", "kWhh", "kWx", "kW ", " kW", "Wk", "kWkWkWkWk", "\x00W", "m\x13", "\x05", "k\x17"} {
		if got, prefix, ok := obis.ParseUnit([]byte(in)); ok {
			t.Errorf("ParseUnit(%q) = %v, %d; want none", in, got, prefix)
		}
	}
}

// TestUnitString tests the symbol of each unit, and that None, Count and unknown units have none. The numbers in the table are units of the
// DLMS table for which this package has no constant.
func TestUnitString(t *testing.T) {
	for unit, want := range map[obis.Unit]string{
		obis.None: "", obis.Count: "", obis.Unit(200): "",
		obis.Watt: "W", obis.Var: "var", obis.VoltAmpere: "VA", obis.WattHour: "Wh", obis.VarHour: "varh",
		obis.VoltAmpereHour: "VAh", obis.Ampere: "A", obis.Volt: "V", obis.Hertz: "Hz", obis.CubicMetre: "m³",
		obis.CubicMetreCorrected: "m³", obis.Joule: "J", obis.Percent: "%", obis.Second: "s", obis.Degree: "°",
		4: "d", obis.Hour: "h", obis.Minute: "min", obis.DegreeCelsius: "°C", obis.CubicMetrePerHour: "m³/h",
		16: "m³/h", obis.Litre: "l", 23: "Pa", 24: "bar", 45: "1/Wh",
		46: "1/varh", 47: "1/VAh", 48: "V²h", 49: "A²h",
		52: "K", 57: "Ah", 70: "dBm", obis.Unit(2): "",
	} {
		if got := unit.String(); got != want {
			t.Errorf("String of unit %d = %q, want %q", uint8(unit), got, want)
		}
	}
}
