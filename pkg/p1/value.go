package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// parseValue fills r from b, which is one or more values in parentheses. One may have parentheses of its own: ((ER11)).
func parseValue(r *obis.Record, b []byte) {
	k := -1
	if bytes.IndexByte(b[1:], '(') >= 0 {
		k = bytes.Index(b, []byte(")("))
	}
	if k < 0 { // one value
		r.Text = b[1 : len(b)-1]
		single(r)
		return
	}
	r.Kind, r.Text = obis.Text, b
	if r.Code[2] == 98 || r.Code[2] == 99 { // logs: profiles of many values
		return
	}
	if r.Code.CDE() == blockCode {
		block(r)
		return
	}
	two(r, b[1:k], b[k+2:len(b)-1])
}

// two reads a stamp and a number with a unit, in any order: Belgian meters of Iskraemeco send the stamp of a peak behind it.
func two(r *obis.Record, first, second []byte) {
	if bytes.IndexByte(second, '(') >= 0 {
		return
	}
	if stamp, ok := parseTime(first); ok {
		if number(r, second) {
			r.Text, r.Time = second, stamp
		}
		return
	}
	if stamp, ok := parseTime(second); ok && number(r, first) {
		r.Text, r.Time = first, stamp
	}
}

func single(r *obis.Record) {
	if number(r, r.Text) {
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

// number reads "0000.345*kW" and reports if it is that: a number with a unit.
func number(r *obis.Record, b []byte) bool {
	star := bytes.IndexByte(b, '*')
	symbol := star + 1
	if star < 0 {
		star = glued(r.Code, b)
		symbol = star
	}
	if star <= 0 {
		return false
	}
	unit, prefix, ok := obis.ParseUnit(b[symbol:])
	if !ok {
		return false
	}
	v, err := obis.ParseDecimal(b[:star])
	if err != nil {
		return false
	}
	r.Kind, r.Value, r.Unit = obis.Number, v.Shift(prefix), unit
	return true
}

// glued returns where the unit begins in "0000.345kW", which gateways make of it that drop the star. It is 0 where no unit
// is looked for.
func glued(c obis.Code, b []byte) int {
	if _, stamp := parseTime(b); stamp || !measures(c) { // the S or W of a stamp is no unit
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

// measures tells if the code is one of a quantity with a unit. Others name texts, some of which end in a letter behind digits,
// such as a number written in hexadecimal.
func measures(c obis.Code) bool {
	switch c[0] {
	case 0:
		return c[2] == 17 || c[2] == 24
	case 1:
		return c[2] > 0 && c[2] < 94 && c[3] > 0
	}
	return false
}
