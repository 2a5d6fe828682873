package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// parseValue fills r from b, which is one or more values in parentheses. One may have parentheses of its own: ((ER11)). It is
// false where b is several values, none of them a stamp: then r is their text, and numbers may read them.
func parseValue(r *obis.Record, b []byte) bool {
	first, rest, several := b[1:len(b)-1], []byte(nil), false
	if bytes.IndexByte(first, '(') >= 0 {
		first, rest, several = cutValue(first)
	}
	if apart := len(first)+len("()()")+len(rest) < len(b); apart && !mayHaveUnit(r.Code) && !isLog(r.Code) {
		several = false // it is a text like (a) (b)
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

// cutValue returns the first of the values in b, which has neither the first '(' nor the last ')', and what is left of b behind
// the '(' of the next; more is false where there is no other. Blanks may stand between.
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

// two reads a stamp and a number with a unit, in any order: Belgian meters of Iskraemeco send the stamp of a peak behind it.
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

// numbers reads several numbers with units, such as two limits of current (100*A)(-063*A). Anything else stays one text.
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

// number reads "0000.345*kW" and reports if it is that: a number with a unit, perhaps with blanks around them.
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

// measured takes apart what has a unit: what stands before it, the unit and its prefix. The unit is none where b has none.
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

// glued returns where the unit begins in "0000.345kW", which some gateways make of it; 0 where no unit is looked for.
func unitStart(b []byte) int {
	if _, stamp := parseTime(b); stamp { // the S or W of a stamp is no unit
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

// measures tells if the code is one of a quantity with a unit. Texts of other codes may end in a letter behind digits.
func mayHaveUnit(c obis.Code) bool {
	switch c[0] {
	case 0:
		return c[2] == 17 || c[2] == 24
	case 1:
		return c[2] > 0 && c[2] < 94 && c[3] > 0
	}
	return false
}

// readable tells that none of the values in a record of text has a unit, but digits that are none.
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
	return several || r.Code[2] != submeterGroupC || r.Code[3] != submeterGroupD || isNumber(r.Text)
}

// readableLine is readable for a line without a code. What stands in a block was measured in the past.
func isWellFormedLine(r *obis.Record) bool {
	if bytes.IndexByte(r.Text, '\n') >= 0 {
		return true
	}
	_, text := r.SplitLine()
	return isWellFormed(&obis.Record{Text: text})
}

// deviceGroup and deviceValue are groups C and D of the value of a meter on another channel, which is always a number.
const submeterGroupC, submeterGroupD = 24, 2

// isNumber tells if b is a number, or what stands in place of one.
func isNumber(b []byte) bool {
	_, err := obis.ParseDecimal(trimmed(b))
	return err == nil || IsPlaceholder(b)
}

// IsPlaceholder tells if b stands in place of a number that the meter does not have: no figure, a stamp alone, or an error.
func IsPlaceholder(b []byte) bool {
	b = bytes.Trim(b, "( )")
	_, stamp := parseTime(b)
	return stamp || IsErrorCode(b) || !bytes.ContainsAny(b, "0123456789")
}

// IsErrorCode reports whether b is a text such as ER23 or (ER11), which meters of Iskraemeco send in place of what they cannot read.
func IsErrorCode(b []byte) bool {
	figures, ok := bytes.CutPrefix(bytes.Trim(b, "()"), []byte("ER"))
	return ok && len(figures) == 2 && isFigures(figures)
}
