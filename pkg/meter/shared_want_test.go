package meter_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// compareAll compares each record with what is expected, and returns how many values that were. Every expected code must
// have its record, and every record must be expected.
func compareAll(t *testing.T, c *capture, r *meter.Reading) (compared int) {
	t.Helper()
	if len(c.Expected) == 0 {
		return 0
	}
	want := expectations(t, c)
	byCode := map[string][]*obis.Record{}
	for i := range r.Records {
		code := r.Records[i].Code.String()
		byCode[code] = append(byCode[code], &r.Records[i])
	}
	volts := voltShift(want)
	for code, items := range want {
		records := byCode[code]
		delete(byCode, code)
		if problem := compare(c, code, items, records, volts); problem != "" {
			t.Errorf("%s: %s: %s", c.File, code, problem)
		}
		compared += len(items)
	}
	for code, records := range byCode {
		if extras[c.name()][code] == "" {
			t.Errorf("%s: %s: nobody sent this code: %v %v %q", c.File, code, records[0].Value, records[0].Unit, records[0].Text)
		}
	}
	return compared
}

// An expectation is one value as the other decoder read it: the text of a P1 telegram, or what stands in a list.
type expectation struct {
	Text, Value, Unit string
	Raw               any
	binary            bool
}

// expectations returns what is expected, by the codes as this project writes them.
func expectations(t *testing.T, c *capture) map[string][]expectation {
	t.Helper()
	out := map[string][]expectation{}
	for key, raw := range c.Expected {
		code := codeOf(key)
		switch {
		case key == "positional":
			return positionalExpectations(t, c, raw)
		case raw[0] == '[':
			items := parse[[]expectation](t, c, raw)
			if len(items) == 7 && strings.HasSuffix(code, ":24.3.0") {
				code = items[4].Text // DSMR 2.2: the block names the code of its value
			}
			out[code] = append(out[code], items...)
		default:
			e := parse[expectation](t, c, raw)
			e.binary = true
			out[code] = append(out[code], e)
		}
	}
	return out
}

// codeOf writes a code of six groups, "1-0:1.8.0.255", as this project does.
func codeOf(key string) string {
	groups := strings.FieldsFunc(key, func(x rune) bool { return strings.ContainsRune("-:.*", x) })
	if len(groups) < 5 {
		return key
	}
	code := fmt.Sprintf("%s-%s:%s.%s.%s", groups[0], groups[1], groups[2], groups[3], groups[4])
	if len(groups) == 6 && groups[5] != "255" {
		code += "*" + groups[5]
	}
	return code
}

func parse[T any](t *testing.T, c *capture, raw json.RawMessage) (out T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", c.File, err)
	}
	return out
}

func positionalExpectations(t *testing.T, c *capture, raw json.RawMessage) map[string][]expectation {
	t.Helper()
	items := parse[[]any](t, c, raw)
	i := slices.IndexFunc(positionals, func(p positional) bool {
		return strings.HasPrefix(c.name(), p.captures) && p.items == len(items)
	})
	if i < 0 || len(positionals[i].codes) > len(items) {
		t.Fatalf("%s: no table for a list of %d items", c.File, len(items))
	}
	out := map[string][]expectation{}
	for k, code := range positionals[i].codes {
		if code == "" {
			continue
		}
		raw := items[k]
		if b, ok := raw.(bool); ok {
			raw = json.Number("0")
			if b {
				raw = json.Number("1")
			}
		}
		out[code] = append(out[code], expectation{Raw: raw, binary: true})
	}
	return out
}

// compare returns how records of one code differ from what is expected, "" where they are right.
func compare(c *capture, code string, items []expectation, records []*obis.Record, volts int) string {
	if len(records) == 0 {
		return "no record"
	}
	if items[0].binary {
		if len(records) != len(items) {
			return fmt.Sprintf("%d records, want %d", len(records), len(items))
		}
		return compareBinary(c, code, items[0], records[0], volts)
	}
	for _, r := range records {
		n, problem := compareText(items, r)
		if problem != "" {
			return problem
		}
		items = items[n:]
	}
	if len(items) > 0 {
		return fmt.Sprintf("%d of its values are in no record", len(items))
	}
	return ""
}

// compareText compares a record with the next values of its code in a P1 telegram and returns how many it holds: a stamp
// and a number, the seven of an old gas meter, all of a log, or one.
func compareText(items []expectation, r *obis.Record) (n int, problem string) {
	if len(items) == 0 {
		return 0, "a record more than it has values"
	}
	first, last := items[0], items[len(items)-1]
	switch {
	case r.Kind == obis.Number && !r.Time.IsZero():
		n = 2
		if len(items) == 7 { // DSMR 2.2: stamp, …, unit, and the value on a line of its own
			n, last.Value, last.Unit = 7, last.Text, items[5].Text
		} else if len(items) > 1 {
			last = items[1]
		}
		if strings.HasPrefix(first.Text, digits(r.Time)) && sameNumber(r, last.number(), last.Unit) {
			return n, ""
		}
	case r.Kind == obis.Number && sameNumber(r, first.number(), first.Unit):
		return 1, ""
	case r.Kind == obis.Clock:
		if strings.HasPrefix(first.Text, digits(r.Time)) || strings.HasPrefix(notDigit.ReplaceAllString(first.Text, ""), "20"+digits(r.Time)) {
			return 1, ""
		}
	case r.Kind == obis.Text && string(r.Text) == first.Text:
		return 1, ""
	case r.Kind == obis.Text:
		var all strings.Builder
		for _, item := range items {
			all.WriteString("(" + item.Text + ")")
		}
		if string(r.Text) == all.String() {
			return len(items), ""
		}
	}
	return 0, fmt.Sprintf("got %v %v %v %q, want %+v", r.Value, r.Unit, r.Time, r.Text, items)
}

func (e *expectation) number() string {
	if e.Value != "" {
		return e.Value
	}
	return e.Text
}

var notDigit = regexp.MustCompile(`[^0-9]`)

// digits is a time as YYMMDDhhmmss.
func digits(t obis.Time) string {
	t.Zone = false
	return notDigit.ReplaceAllString(t.String(), "")[2:]
}

// compareBinary compares a record with an item of a list.
func compareBinary(c *capture, code string, e expectation, r *obis.Record, volts int) string {
	same := false
	switch raw := fmt.Sprint(e.Raw); r.Kind {
	case obis.Number:
		if e.Value != "" {
			same = sameNumber(r, e.Value, e.Unit)
			break
		}
		shift, unit := unscaled(c, code, volts)
		same = sameNumber(r, fmt.Sprintf("%se%d", raw, shift), unit)
	case obis.Clock:
		at := r.Time
		at.Zone = false
		same = strings.HasPrefix(raw, at.String())
	case obis.Text:
		same = string(r.Text) == raw || hex.EncodeToString(r.Text) == raw
	case obis.Empty:
		same = e.Raw == nil
	case obis.Line: // of telegrams of text
	}
	if same {
		return ""
	}
	return fmt.Sprintf("got kind %d, %v %v %v %q, want %+v", r.Kind, r.Value, r.Unit, r.Time, r.Text, e)
}

// prefixes are the powers of ten of the prefixes that the captures hold.
var prefixes = map[string]int64{
	"kWh": 1000, "kW": 1000, "kVArh": 1000, "kvarh": 1000, "kVAr": 1000, "kvar": 1000, "kVA": 1000, "GJ": 1e9, "MJ": 1e6, "MWh": 1e6,
}

// sameNumber compares exact numbers in base units.
func sameNumber(r *obis.Record, number, unit string) bool {
	want, ok := new(big.Rat).SetString(number)
	if !ok {
		return false
	}
	if p, ok := prefixes[unit]; ok {
		want.Mul(want, new(big.Rat).SetInt64(p))
		unit = unit[1:]
	}
	got, ok := new(big.Rat).SetString(r.Value.String())
	unit = strings.Replace(unit, "m3", "m³", 1)
	return ok && got.Cmp(want) == 0 && strings.EqualFold(r.Unit.String(), unit)
}
