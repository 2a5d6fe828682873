package meter_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// compareSource decodes a capture and compares the reading with the values that were published with the capture. It returns the number of compared
// values. The values of some captures are from the firmware of a reader, which shows 0 for a missing value. The values of other captures are from a
// library, which returns values by code or by name.
func compareSource(t *testing.T, c *capture) (n int) {
	t.Helper()
	r, err := c.telegram(t).decoder(t).Next()
	if err != nil || wrongAtSource[c.name()][""] != "" {
		return 0 // checkTelegram reports the error
	}
	for key, raw := range c.BySource {
		switch {
		case key == "electricity":
			n += compareTree(t, c, r, "", parse[map[string]any](t, c, raw))
		case key == "cosem" || key == "note":
		case strings.Count(key, ".") == 5: // a code of six groups
			n += compareByCode(t, c, r, key, parse[string](t, c, raw))
		case key == "meter_id":
			if id := parse[string](t, c, raw); id != "" {
				n++
				compareID(t, c, r, id)
			}
		default:
			n += compareTree(t, c, r, key, parse[any](t, c, raw))
		}
	}
	return n
}

// namedValues maps the names that sources use to the code and the power of ten of the unit.
var namedValues = map[string]struct {
	code  string
	shift int
}{
	"P_import_W": {"1.7.0", 0}, "P_export_W": {"2.7.0", 0}, "E_import_kWh": {"1.8.0", 3},
	"U/0": {"32.7.0", 0}, "U/1": {"52.7.0", 0}, "U/2": {"72.7.0", 0},
	"I/0": {"31.7.0", 0}, "I/1": {"51.7.0", 0}, "I/2": {"71.7.0", 0},
	"/voltage/l1": {"32.7.0", 0}, "/voltage/l2": {"52.7.0", 0}, "/voltage/l3": {"72.7.0", 0},
	"/current/l1": {"31.7.0", 0}, "/current/l2": {"51.7.0", 0}, "/current/l3": {"71.7.0", 0},
	"/powerReceivedTotal": {"1.7.0", 0}, "/powerReturnedTotal": {"2.7.0", 0},
	"/powerReceived/l1": {"21.7.0", 0}, "/powerReceived/l2": {"41.7.0", 0}, "/powerReceived/l3": {"61.7.0", 0},
	"/powerReturned/l1": {"22.7.0", 0}, "/powerReturned/l2": {"42.7.0", 0}, "/powerReturned/l3": {"62.7.0", 0},
	"/total/received": {"1.8.0", 0}, "/total/returned": {"2.8.0", 0},
	"/tariffs/1/received": {"1.8.1", 0}, "/tariffs/1/returned": {"2.8.1", 0},
	"/tariffs/2/received": {"1.8.2", 0}, "/tariffs/2/returned": {"2.8.2", 0},
	"/currentTariff": {"", 0}, // a text: not compared
}

// compareTree compares the numbers in a JSON value by their paths, such as "/voltage/l1". path is the path of v.
func compareTree(t *testing.T, c *capture, r *meter.Reading, path string, v any) (n int) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, v := range v {
			n += compareTree(t, c, r, path+"/"+key, v)
		}
		return n
	case []any:
		for i, v := range v {
			n += compareTree(t, c, r, fmt.Sprintf("%s/%d", path, i), v)
		}
		return n
	}
	named, ok := namedValues[path]
	if !ok {
		t.Errorf("%s: the source has %s, which namedValues does not have", c.File, path)
	}
	want, ok := new(big.Rat).SetString(fmt.Sprintf("%ve%d", v, named.shift))
	if named.code == "" || !ok || want.Sign() == 0 || wrongAtSource[c.name()][path] != "" {
		return 0
	}
	rec := find(r, named.code)
	if rec == nil && path == "E_import_kWh" && isKamstrup(c) {
		return 0 // the firmware shows the counter of an earlier telegram, because only the hourly list has the counter
	}
	if rec == nil {
		t.Errorf("%s: %s: got no record of %s, want %v as in the source", c.File, path, named.code, v)
		return 1
	}
	if rec.Kind != obis.Number || !nearlyEqual(rec.Value, want, strings.HasPrefix(path, "I/")) {
		t.Errorf("%s: %s: got %v, want %v as in the source", c.File, path, rec.Value, v)
	}
	return 1
}

// nearlyEqual reports whether got equals want, except for the rounding of the sources. The sources calculate with floating-point numbers of 24 bits,
// and round currents to two decimals.
func nearlyEqual(got obis.Decimal, want *big.Rat, isCurrent bool) bool {
	v, _ := new(big.Rat).SetString(got.String())
	allowed := new(big.Rat).Abs(new(big.Rat).Mul(want, big.NewRat(1, 1<<24)))
	if isCurrent {
		allowed = big.NewRat(5, 1000)
	}
	v.Sub(v, want)
	return v.Abs(v).Cmp(allowed) <= 0
}

// compareByCode compares the record of a code with text, which is a number such as "12048950.0", a clock or another text. key is the code with dots
// between all groups.
func compareByCode(t *testing.T, c *capture, r *meter.Reading, key, text string) int {
	t.Helper()
	groups := strings.Split(key, ".")
	code := strings.Join(groups[2:5], ".")
	if wrongAtSource[c.name()][code] != "" || key == "0.0.0.0.0.0" {
		return 0
	}
	rec := find(r, code)
	for i := range r.Records {
		if x := &r.Records[i]; x.Code.String() == codeOf(fmt.Sprintf("%s-%s:%s", groups[0], groups[1], code)) {
			rec = x
		}
	}
	if rec == nil {
		t.Errorf("%s: no record of %s", c.File, key)
		return 1
	}
	if isKamstrup(c) { // the number in the source has no power of ten
		exponent, _ := documentedUnit(c, rec.Code.String(), 0)
		text = fmt.Sprintf("%se%d", text, exponent)
	}
	want, isNumber := new(big.Rat).SetString(text)
	switch {
	case rec.Kind == obis.Text && string(rec.Text) == strings.TrimSuffix(text, "e0"):
	case rec.Kind == obis.Clock && strings.HasPrefix(text, strings.Replace(rec.Time.String(), "T", " ", 1)):
	case rec.Kind == obis.Number && isNumber && nearlyEqual(rec.Value, want, false):
	default:
		t.Errorf("%s: %s: got kind %d, value %v, text %q; want %q as in the source", c.File, key, rec.Kind, rec.Value, rec.Text, text)
	}
	return 1
}

// compareID tests that a record or Reading.Meter has the number of the meter.
func compareID(t *testing.T, c *capture, r *meter.Reading, id string) {
	t.Helper()
	if wrongAtSource[c.name()]["meter_id"] != "" || r.Meter.Serial == id {
		return
	}
	for i := range r.Records {
		if rec := &r.Records[i]; rec.Kind == obis.Text && strings.TrimRight(string(rec.Text), "\x00 ") == id {
			return
		}
	}
	t.Errorf("%s: got serial number %q, want %q as in the source", c.File, r.Meter.Serial, id)
}

// find returns the first record of a code, of any medium and channel.
func find(r *meter.Reading, code string) *obis.Record {
	for i := range r.Records {
		if rec := &r.Records[i]; strings.HasSuffix(rec.Code.String(), ":"+code) {
			return rec
		}
	}
	return nil
}
