package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// parseValue fills r from b, one or more values in parentheses. A value can contain parentheses, such as ((ER11)). If b has
// several values, they are those of a log, those of DSMR 2.2, or a time stamp and a number. For other values parseValue returns false. Then r has
// the text of all values, and the caller tries splitNumbers.
func parseValue(r *obis.Record, b []byte) bool {
	first, rest, several := b[1:len(b)-1], []byte(nil), false
	if bytes.IndexByte(first, '(') >= 0 {
		first, rest, several = cutValue(first)
	}
	blankBetween := len(first)+len("()()")+len(rest) < len(b) // a blank is between the first and the second value
	if blankBetween && !mayHaveUnit(r.Code) && !isLog(r.Code) {
		several = false // one text with parentheses in it, such as (a) (b)
	}
	if !several {
		r.Text = b[1 : len(b)-1]
		parseSingle(r)
		return true
	}
	r.Kind, r.Text = obis.Text, b
	switch {
	case isLog(r.Code):
		return true
	case r.Code.CDE() == dsmr2Code:
		parseDSMR2(r)
		return true
	}
	return parseStamped(r, first, rest)
}

// cutValue returns the first of the values in b, and rest, which begins after the '(' of the second value. b has neither the first '(' nor the
// last ')'. more is false if there is no second value. There can be blanks between values.
func cutValue(b []byte) (value, rest []byte, more bool) {
	for i := 0; ; i++ {
		k := bytes.IndexByte(b[i:], ')')
		if k < 0 {
			return b, nil, false
		}
		i += k
		next := i + 1
		for next < len(b) && (b[next] == ' ' || b[next] == '\t') {
			next++
		}
		if next < len(b) && b[next] == '(' {
			return b[:i], b[next+1:], true
		}
	}
}

// parseStamped reads a time stamp and a number with a unit, in any order. It returns false if first and second are other values. Belgian meters
// of Iskraemeco send a peak before its time stamp.
func parseStamped(r *obis.Record, first, second []byte) bool {
	if bytes.IndexByte(second, '(') >= 0 {
		return false
	}
	if stamp, ok := parseTime(first); ok && parseNumber(r, second) {
		r.Text, r.Time = second, stamp
		return true
	}
	if stamp, ok := parseTime(second); ok && parseNumber(r, first) {
		r.Text, r.Time = first, stamp
		return true
	}
	return false
}

// splitNumbers replaces the last record by one record for each value in b, if all values are numbers with units. For example,
// (100*A)(-063*A) are two limits of current. Otherwise the last record becomes a Text.
func splitNumbers(records []obis.Record, b []byte) []obis.Record {
	last := len(records) - 1
	code := records[last].Code
	all := records[:last]
	for rest, more := b[1:len(b)-1], true; more; {
		var field []byte
		field, rest, more = cutValue(rest)
		r := obis.Record{Code: code, Text: field}
		if bytes.IndexByte(field, '*') < 0 || !parseNumber(&r, field) {
			records[last] = obis.Record{Code: code, Kind: obis.Text, Text: b}
			return records[:last+1]
		}
		all = append(all, r)
	}
	return all
}

// parseSingle fills r from r.Text, which is one value: a number with a unit, a clock or a text.
func parseSingle(r *obis.Record) {
	if parseNumber(r, r.Text) {
		return
	}
	r.Kind = obis.Text
	if !r.Code.IsClock() {
		return
	}
	if t, ok := parseTime(r.Text); ok {
		r.Kind, r.Time = obis.Clock, t
	}
}

// parseNumber fills r from a number with a unit, such as "0000.345*kW" or "0000.345 * kW". It returns false if b is not such a number.
func parseNumber(r *obis.Record, b []byte) bool {
	digits, unit, prefix := splitUnit(r.Code, b)
	if unit == obis.None {
		return false
	}
	v, err := obis.ParseDecimal(digits)
	if err != nil {
		return false
	}
	r.Kind, r.Value, r.Unit = obis.Number, v.Shift(prefix), unit
	return true
}

// splitUnit splits a value into the text before its unit, the unit, and the power of ten of its prefix. u is obis.None if there is no unit.
func splitUnit(c obis.Code, b []byte) (digits []byte, u obis.Unit, prefix int8) {
	star := bytes.IndexByte(b, '*')
	symbol := star + 1
	if star < 0 {
		if !mayHaveUnit(c) {
			return nil, obis.None, 0
		}
		b = trimmed(b)
		star = unitStart(b)
		symbol = star
		if star <= 0 {
			return nil, obis.None, 0
		}
	}
	u, prefix, _ = obis.ParseUnit(trimmed(b[symbol:]))
	return trimmed(b[:star]), u, prefix
}

// unitStart returns the index of the unit in a value without '*', such as "0000.345kW". Some gateways remove the '*'. unitStart returns 0 if b
// is a time stamp.
func unitStart(b []byte) int {
	if _, isStamp := parseTime(b); isStamp { // the S or W of a time stamp is not a unit
		return 0
	}
	if bytes.HasSuffix(b, []byte("m3")) { // the only unit that ends in a figure
		return len(b) - len("m3")
	}
	i := len(b)
	for i > 0 && b[i-1]-'0' > 9 {
		i--
	}
	return i
}

// mayHaveUnit reports whether the code is that of a quantity with a unit. Other codes can have texts that end like a number with a unit.
func mayHaveUnit(c obis.Code) bool {
	switch c[0] {
	case 0:
		return c[2] == 17 || c[2] == 24 // limiters and sub-meters
	case 1:
		return c[2] > 0 && c[2] < 94 && c[3] > 0 // electrical quantities
	}
	return false
}

// isWellFormed returns false if a Text record has a damaged number. A value with a unit, and the value of a sub-meter, must be a number or a
// placeholder for a number.
func isWellFormed(r *obis.Record) bool {
	b, several := r.Text, false
	if isLog(r.Code) || !mayHaveUnit(r.Code) && bytes.IndexByte(b, '*') < 0 {
		return true
	}
	if _, err := obis.ParseDecimal(b); err == nil {
		return true
	}
	if len(b) > 0 && b[0] == '(' && b[len(b)-1] == ')' {
		b, several = b[1:len(b)-1], true
	}
	for more := true; more; {
		var field []byte
		field, b, more = cutValue(b)
		if digits, unit, _ := splitUnit(r.Code, field); unit != obis.None && !isNumber(digits) {
			return false
		}
	}
	isSubmeter := r.Code[2] == submeterGroupC && r.Code[3] == submeterGroupD
	return several || !isSubmeter || isNumber(r.Text)
}

// isWellFormedLine is isWellFormed for a Line. A Line of several text lines is always well formed, because it has only past values.
func isWellFormedLine(r *obis.Record) bool {
	if bytes.IndexByte(r.Text, '\n') >= 0 {
		return true
	}
	_, text := r.SplitLine()
	return isWellFormed(&obis.Record{Text: text})
}

// submeterGroupC and submeterGroupD are groups C and D of the value of a sub-meter, which is always a number.
const submeterGroupC, submeterGroupD = 24, 2

// isNumber reports whether b is a number, or a placeholder for one.
func isNumber(b []byte) bool {
	_, err := obis.ParseDecimal(trimmed(b))
	return err == nil || IsPlaceholder(b)
}

// IsPlaceholder reports whether b is what a meter sends in place of a number that it does not have: a text without digits, only a time stamp,
// or an error code.
func IsPlaceholder(b []byte) bool {
	b = bytes.Trim(b, "( )")
	_, isStamp := parseTime(b)
	return isStamp || IsErrorCode(b) || !bytes.ContainsAny(b, "0123456789")
}

// IsErrorCode reports whether b is an error code such as ER23 or (ER11), which meters of Iskraemeco send in place of a value.
func IsErrorCode(b []byte) bool {
	figures, ok := bytes.CutPrefix(bytes.Trim(b, "()"), []byte("ER"))
	return ok && len(figures) == 2 && isFigures(figures)
}
