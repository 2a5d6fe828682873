package meter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A pair is a code and a number without scaler and unit.
type pair struct {
	code string
	raw  int64
}

// decodePairs decodes a list of pairs, and returns the numbers of the records by code, as text with their unit. list is the name of the list, which
// shows the make. model is the type of the meter. If list or model is "", the message has no name of the list or no type.
func decodePairs(t *testing.T, list, model string, pairs ...pair) map[string]string {
	t.Helper()
	n := 2 * len(pairs)
	if list != "" {
		n++
	}
	if model != "" {
		n += 2
	}
	b := dlms.AppendStructure(dlms.AppendNotification(nil, 0), n)
	if list != "" {
		b = dlms.AppendVisibleString(b, list)
	}
	for _, p := range pairs {
		c, err := obis.ParseCode("1-1:" + p.code)
		if err != nil {
			t.Fatal(err)
		}
		b = dlms.AppendNumber(dlms.AppendLogicalName(b, c), dlms.Uint32, p.raw)
	}
	if model != "" {
		b = dlms.AppendVisibleString(dlms.AppendLogicalName(b, obis.Code{1, 1, 96, 1, 1, obis.Any}), model)
	}
	r, err := meter.NewDecoder(strings.NewReader(aidonFrame(dlms.LLC+string(b), false)), meter.Options{AcceptUnverified: true}).Next()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, rec := range r.Records {
		if code := rec.Code.String(); rec.Kind == obis.Number {
			out[code[len("1-1:"):]] = strings.TrimSpace(rec.Value.String() + " " + rec.Unit.String())
		}
	}
	return out
}

// TestVoltages tests that voltages without a scaler get the exponent with which the highest voltage is between 90 and 500 V. If no exponent fits,
// there is no voltage.
func TestVoltages(t *testing.T) {
	for _, tt := range []struct {
		raw  [3]int64 // the voltages as sent
		want string   // the voltages of the records; "" for none
	}{
		{[3]int64{230, 231, 229}, "230 V 231 V 229 V"},
		{[3]int64{2307, 2310, 2290}, "230.7 V 231 V 229 V"},
		{[3]int64{22199, 23071, 23000}, "221.99 V 230.71 V 230 V"},
		{[3]int64{230715, 230001, 229999}, "230.715 V 230.001 V 229.999 V"},
		{[3]int64{400, 399, 0}, "400 V 399 V 0 V"},
		{[3]int64{4000, 3990, 0}, "400 V 399 V 0 V"},
		{[3]int64{0, 0, 2346}, "0 V 0 V 234.6 V"},
		{[3]int64{2346, 61, 0}, "234.6 V 6.1 V 0 V"},
		{[3]int64{0, 0, 0}, "0 V 0 V 0 V"},
		{[3]int64{90, 0, 0}, "90 V 0 V 0 V"},
		{[3]int64{500, 0, 0}, "500 V 0 V 0 V"},
		{[3]int64{900, 0, 0}, "90 V 0 V 0 V"},
		{[3]int64{5000, 0, 0}, "500 V 0 V 0 V"},
		{[3]int64{90000, 0, 0}, "90 V 0 V 0 V"},
		{[3]int64{500000, 0, 0}, "500 V 0 V 0 V"},
		{[3]int64{89, 0, 0}, ""},
		{[3]int64{501, 230, 230}, ""},
		{[3]int64{899, 0, 0}, ""},
		{[3]int64{5001, 0, 0}, ""},
		{[3]int64{500001, 0, 0}, ""},
		{[3]int64{4000000000, 2300, 2300}, ""},
	} {
		got := decodePairs(t, "Kamstrup_V0001", "", pair{"32.7.0", tt.raw[0]}, pair{"52.7.0", tt.raw[1]}, pair{"72.7.0", tt.raw[2]}, pair{"1.7.0", 7})
		all := strings.TrimSpace(got["32.7.0"] + " " + got["52.7.0"] + " " + got["72.7.0"])
		if all != tt.want || got["1.7.0"] != "7 W" {
			t.Errorf("%d: got voltages %q and power %q, want %q and 7 W", tt.raw, all, got["1.7.0"], tt.want)
		}
	}
}

// TestUnits tests that the number 1234 without scaler and unit gets the exponent and unit that the make uses for the code.
func TestUnits(t *testing.T) {
	for _, tt := range []struct{ list, model, code, want string }{
		{"Kamstrup_V0001", "", "1.8.0", "12340 Wh"},
		{"Kamstrup_V0001", "", "21.8.0", "12340 Wh"},
		{"Kamstrup_V0001", "", "3.8.0", "12340 varh"},
		{"Kamstrup_V0001", "6841121BN24", "31.7.0", "12.34 A"},
		{"Kamstrup_V0001", "6861111BN24", "51.7.0", "12.34 A"},
		{"Kamstrup_V0001", "6851121BN24", "31.7.0", "1.234 A"},
		{"Kamstrup_V0001", "6851121BN24", "71.7.0", "1.234 A"},
		{"Kamstrup_V0001", "6851121BN24", "1.8.0", "12340 Wh"},
		{"Kamstrup_V0001", "1685", "31.7.0", "1234"}, // unknown type, and too little power to find the exponent: no unit
		{"KFM_001", "", "31.7.0", "1.234 A"},
		{"KFM_001", "", "1.8.0", "1234 Wh"},
		{"", "", "31.7.0", "12.34 A"},
		{"", "", "1.8.1", "1234 Wh"},
		{"", "", "5.8.0", "1234 varh"},
		{"", "", "1.7.0", "1234 W"},
		{"", "", "44.7.0", "1234 var"},
		{"", "", "9.7.0", "1234 VA"},
		{"", "", "32.32.0", "1234"},
		{"", "", "5.8.1", "1234"}, // a code without a quantity: no unit
	} {
		if got := decodePairs(t, tt.list, tt.model, pair{tt.code, 1234}, pair{"2.7.0", 5}); got[tt.code] != tt.want || got["2.7.0"] != "5 W" {
			t.Errorf("list %q, type %q: got %s %q and power %q, want %q and 5 W", tt.list, tt.model, tt.code, got[tt.code], got["2.7.0"], tt.want)
		}
	}
}

// TestPowerFactorsAndFrequencies tests that power factors without a scaler get the exponent of their make, and frequencies get the exponent that
// fits their size. If the result is impossible, there must be no value.
func TestPowerFactorsAndFrequencies(t *testing.T) {
	for _, tt := range []struct {
		name, list, code string
		raw              int64  // the number as sent
		want             string // "" for none
	}{
		{"factor in hundredths", "Kamstrup_V0001", "13.7.0", 94, "0.94"},
		{"factor in hundredths, of a phase", "Kamstrup_V0001", "33.7.0", 100, "1"},
		{"factor in thousandths", "KFM_001", "13.7.0", 941, "0.941"},
		{"factor in thousandths, unknown make", "", "53.7.0", 1000, "1"},
		{"factor above 1 in hundredths", "Kamstrup_V0001", "13.7.0", 941, ""},
		{"factor above 1 in thousandths", "", "13.7.0", 9410, ""},
		{"frequency in Hz", "", "14.7.0", 50, "50 Hz"},
		{"frequency in 0.1 Hz", "", "14.7.0", 499, "49.9 Hz"},
		{"frequency in 0.01 Hz", "Kamstrup_V0001", "14.7.0", 4998, "49.98 Hz"},
		{"frequency in mHz", "KFM_001", "14.7.0", 50012, "50.012 Hz"},
		{"frequency of 60 Hz", "", "14.7.0", 5999, "59.99 Hz"},
		{"frequency outside 40 to 70 Hz with any exponent", "", "14.7.0", 900, ""},
		{"frequency of 0", "", "14.7.0", 0, ""},
	} {
		if got := decodePairs(t, tt.list, "", pair{tt.code, tt.raw}, pair{"1.7.0", 7}); got[tt.code] != tt.want || got["1.7.0"] != "7 W" {
			t.Errorf("%s: got %q and power %q, want %q and 7 W", tt.name, got[tt.code], got["1.7.0"], tt.want)
		}
	}
}

// TestUnknownLayout tests that a list without codes gives a LayoutError if no layout fits. Types must be the types of its values, here an
// unsigned of 16 bits, a text and null.
func TestUnknownLayout(t *testing.T) {
	b := dlms.AppendStructure(dlms.AppendNotification(nil, 0), 3)
	b = dlms.AppendNull(dlms.AppendOctetString(dlms.AppendNumber(b, dlms.Uint16, 1), "ABC"))
	_, all := drain(meter.NewDecoder(strings.NewReader(aidonFrame(dlms.LLC+string(b), false)), meter.Options{AcceptUnverified: true}))
	var unknown *meter.LayoutError
	if len(all) != 1 || !errors.As(all[0], &unknown) || unknown.Types != "wt0" || !all[0].Intact {
		t.Errorf("got %v, want a LayoutError of types wt0 for an intact telegram", all)
	}
}
