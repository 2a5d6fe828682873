package meter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A sourceValue is one value that the reference decoder has read. The reference decoder is an independent program. Its output is stored with the
// captures.
type sourceValue struct {
	Text        string // the text between two parentheses of a P1 telegram
	Raw         any    // an item of a binary list, without its scaler
	Value, Unit string // the number, if it has a unit (P1) or a scaler (binary list)
}

// telegram returns the capture with the expected records. Their numbers are in base units.
func (c *capture) telegram(t *testing.T) *telegram {
	t.Helper()
	tg := &telegram{name: c.name(), bytes: c.bytes, Key: c.Key, AuthKey: c.AuthKey, Checked: c.checked()}
	tg.Expected = append(tg.Expected, extras[c.name()]...)
	values := c.sourceValues(t)
	volts := voltExponent(values)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		isArray := len(c.Expected[key]) > 0 && c.Expected[key][0] == '['
		if isArray && key != positional { // the values of an ASCII telegram
			tg.Expected = append(tg.Expected, textExpectations(c, key, values[key])...)
			continue
		}
		for _, v := range values[key] {
			tg.Expected = append(tg.Expected, binaryExpectation(c, codeOf(key), v, volts))
		}
	}
	isClock := func(e expectation) bool { return e.Clock != "" && e.Value == "" }
	if c.Time != "" && !strings.Contains(c.Time, "None") && !slices.ContainsFunc(tg.Expected, isClock) {
		tg.Time = clockOf(c.Time)
	}
	return tg
}

// positional is the key of the values of a list without codes in capture.Expected.
const positional = "positional"

// sourceValues returns the values of the reference decoder by code. For a list without codes, the codes are from layouts.
func (c *capture) sourceValues(t *testing.T) map[string][]sourceValue {
	t.Helper()
	out := map[string][]sourceValue{}
	if len(c.Expected) == 0 && wrongAtSource[c.name()][""] == "" {
		return c.publishedValues(t)
	}
	for key, raw := range c.Expected {
		switch {
		case key == positional:
			return c.valuesByLayout(t, raw)
		case raw[0] == '[':
			out[key] = parse[[]sourceValue](t, c, raw)
		default:
			out[key] = append(out[key], parse[sourceValue](t, c, raw))
		}
	}
	return out
}

// publishedValues returns the values that were published with a capture, by code. It is for captures that the reference decoder cannot read.
func (c *capture) publishedValues(t *testing.T) map[string][]sourceValue {
	t.Helper()
	out := map[string][]sourceValue{}
	for key, raw := range c.BySource {
		code := codeOf(key)
		_, groupsCDE, _ := strings.Cut(code, ":")
		if strings.Count(key, ".") == 5 && wrongAtSource[c.name()][groupsCDE] == "" {
			text := parse[string](t, c, raw)
			v := sourceValue{Raw: text}
			if _, err := obis.ParseDecimal([]byte(text)); err == nil {
				v.Raw = json.Number(text)
			}
			out[code] = append(out[code], v)
		}
	}
	return out
}

// valuesByLayout returns the values of a list without codes, by the codes of its layout.
func (c *capture) valuesByLayout(t *testing.T, raw json.RawMessage) map[string][]sourceValue {
	t.Helper()
	items := parse[[]any](t, c, raw)
	i := slices.IndexFunc(layouts, func(l layout) bool {
		return strings.HasPrefix(c.name(), l.prefix) && l.items == len(items)
	})
	if i < 0 || len(layouts[i].codes) > len(items) {
		t.Fatalf("%s: no layout for a list of %d items", c.File, len(items))
	}
	out := map[string][]sourceValue{}
	for k, code := range layouts[i].codes {
		if code == "" {
			continue
		}
		raw := items[k]
		if isClosed, ok := raw.(bool); ok { // the state of the breaker
			raw = json.Number("0")
			if isClosed {
				raw = json.Number("1")
			}
		}
		out[code] = append(out[code], sourceValue{Raw: raw})
	}
	return out
}

// parse decodes JSON. Numbers remain text (json.Number), so that they are exact.
func parse[T any](t *testing.T, c *capture, raw json.RawMessage) (out T) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", c.File, err)
	}
	return out
}

// codeOf returns a code in the form of package obis, such as "1-0:1.8.0" for "1-0:1.8.0.255".
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

// textExpectations returns the expected records of one code of a P1 telegram. Each line gives one record, except that a line of several numbers gives
// a record for each number. There are five kinds of lines: a single value; a time stamp and a number; the seven values of a DSMR 2.2 gas meter;
// several numbers; a log, whose record is one text.
func textExpectations(c *capture, key string, values []sourceValue) (out []expectation) {
	lines := max(1, bytes.Count(c.bytes, []byte("\n"+key+"(")))
	for line := range slices.Chunk(values, max(1, len(values)/lines)) {
		e := expectation{Code: codeOf(key)}
		switch first, last := line[0], line[len(line)-1]; {
		case len(line) == 1:
			e.setText(first)
		case len(line) == 2 && stamp.MatchString(first.Text) && last.Value != "":
			e.setText(last)
			e.Clock = clockOf(first.Text)
		case len(line) == 7 && strings.HasSuffix(key, ":24.3.0"):
			e.Code = line[4].Text
			e.setText(sourceValue{Value: last.Text, Unit: line[5].Text})
			e.Clock = clockOf(first.Text)
		case !slices.ContainsFunc(line, func(v sourceValue) bool { return v.Value == "" }):
			for _, v := range line[:len(line)-1] { // a record for each number
				e.setText(v)
				out = append(out, e)
			}
			e.setText(last)
		default:
			for _, v := range line {
				e.Text += "(" + v.Text + ")"
			}
		}
		out = append(out, e)
	}
	return out
}

// setText sets the expectation from a value of a P1 telegram.
func (e *expectation) setText(v sourceValue) {
	switch {
	case v.Value != "":
		e.setNumber(v.Value, v.Unit)
	case stamp.MatchString(v.Text):
		e.Clock = clockOf(v.Text)
	default:
		e.Text = v.Text
	}
}

// setNumber sets the expected number, converted from the unit of the source to the base unit.
func (e *expectation) setNumber(value, unit string) {
	base, ok := baseUnits[strings.ToLower(unit)]
	d, err := obis.ParseDecimal([]byte(value))
	if !ok || err != nil {
		panic(fmt.Sprintf("%s: no base unit for %s %q: %v", e.Code, value, unit, err))
	}
	e.Value, e.Unit = d.Shift(base.shift).String(), base.unit
}

// baseUnits maps the units of the sources, in lower case, to the base unit and the power of ten of the prefix.
var baseUnits = map[string]struct {
	shift int8
	unit  string
}{
	"": {}, "count": {}, "w": {0, "W"}, "kw": {3, "W"}, "var": {0, "var"}, "kvar": {3, "var"}, "va": {0, "VA"}, "kva": {3, "VA"},
	"wh": {0, "Wh"}, "kwh": {3, "Wh"}, "mwh": {6, "Wh"}, "varh": {0, "varh"}, "kvarh": {3, "varh"}, "v": {0, "V"}, "a": {0, "A"},
	"hz": {0, "Hz"}, "m3": {0, "m³"}, "gj": {9, "J"}, "mj": {6, "J"}, "s": {0, "s"}, "deg": {0, "°"}, "°": {0, "°"},
}

// binaryExpectation returns the expected record for an item of a binary list. A number without a scaler gets its power of ten and unit from
// documentedUnit. volts is the power of ten of voltages.
func binaryExpectation(c *capture, code string, v sourceValue, volts int) expectation {
	e := expectation{Code: code}
	raw := fmt.Sprint(v.Raw)
	switch _, isNumber := v.Raw.(json.Number); {
	case v.Value != "":
		e.setNumber(v.Value, v.Unit)
	case v.Raw == nil: // null: an empty record
	case dateTime.MatchString(raw):
		e.Clock = clockOf(raw)
	case isNumber:
		exponent, unit := documentedUnit(c, code, volts)
		if exponent == 0 && unit == "" {
			e.Text = raw
			break
		}
		e.setNumber(raw, unit)
		d, _ := obis.ParseDecimal([]byte(raw))
		e.Value = d.Shift(int8(exponent)).String()
	default:
		e.Text = raw
	}
	return e
}

var (
	// stamp matches a time stamp of a P1 telegram, dateTime a date and time of the reference decoder.
	stamp    = regexp.MustCompile(`^\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{6}[SWsw]?$`)
	dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:]{8}`)
)

// clockOf converts "231102121548W" and "2023-04-01T21:32:35 dev=-120 status=80" to the form of expectation.Clock. dev is the deviation: local time
// plus the deviation, in minutes, is UTC.
func clockOf(text string) string {
	if stamp.MatchString(text) {
		return fmt.Sprintf("20%s-%s-%sT%s:%s:%s", text[:2], text[2:4], text[4:6], text[6:8], text[8:10], text[10:12])
	}
	local, rest, _ := strings.Cut(text, " ")
	var deviation int
	if n, _ := fmt.Sscanf(rest, "dev=%d", &deviation); n == 0 || deviation == 0 { // Aidon meters in Norway send 0
		return local
	}
	sign := '+'
	if deviation > 0 {
		sign = '-'
	}
	deviation = max(deviation, -deviation)
	return fmt.Sprintf("%s%c%02d:%02d", local, sign, deviation/60, deviation%60)
}
