package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// dsmr2Code is 0-n:24.3.0, with which DSMR 2.2 and 3.0 send the last value of the sub-meter on channel n (Dutch smart meter requirements,
// P1 version 2.2, section 5.2): time stamp, status, minutes between values, number of values, code, unit. The value follows, often on the next line:
//
//	0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)
//	(00908.123)
var dsmr2Code = [3]byte{24, 3, 0}

// dsmr2HeadingValues is the number of values before the value of the sub-meter.
const dsmr2HeadingValues = 6

// parseDSMR2 turns a record of dsmr2Code into a record of the sub-meter. r.Text has all values in their parentheses. If the value of the
// sub-meter is not among them, r does not change.
func parseDSMR2(r *obis.Record) {
	if bytes.Count(r.Text, []byte("(")) <= dsmr2HeadingValues {
		return
	}
	if h, value, ok := readDSMR2(r.Text); ok && value != nil {
		fillDSMR2(r, h, value)
	}
}

// dsmr2SecondLine adds the value in line b to the last record. It returns false if the last record is not of dsmr2Code, or has a value already.
func (t *Telegram) dsmr2SecondLine(b []byte) bool {
	r := &t.Records[len(t.Records)-1]
	h, value, ok := readDSMR2(r.Text)
	if !ok || value != nil {
		return false
	}
	fillDSMR2(r, h, trimmed(b[1:len(b)-1]))
	return true
}

// A dsmr2Heading is what a record of dsmr2Code says about its value.
type dsmr2Heading struct {
	code   obis.Code
	time   obis.Time
	unit   obis.Unit
	prefix int8
}

// readDSMR2 reads the values of a record of dsmr2Code. value is nil if the value of the sub-meter is not among them. ok is
// false if b is not of the form that dsmr2Code describes.
func readDSMR2(b []byte) (h dsmr2Heading, value []byte, ok bool) {
	if len(b) < 2 {
		return dsmr2Heading{}, nil, false
	}
	rest, more := b[1:len(b)-1], true
	ok = true
	i := 0
	for ; more && ok; i++ {
		var field []byte
		field, rest, more = cutValue(rest)
		field = trimmed(field)
		switch i { // see dsmr2Code for the order of the values
		case 0:
			h.time, ok = parseTime(field)
		case 4:
			n := 0
			h.code, n = obis.ReadCode(field)
			ok = n > 0 && n == len(field)
		case 5:
			h.unit, h.prefix, ok = obis.ParseUnit(field)
		case dsmr2HeadingValues:
			value, ok = field, !more
		}
	}
	return h, value, ok && i >= dsmr2HeadingValues
}

// fillDSMR2 makes r a record of the code in the heading. A value that is not a number becomes a Text.
func fillDSMR2(r *obis.Record, h dsmr2Heading, value []byte) {
	*r = obis.Record{Code: h.code, Kind: obis.Text, Text: value}
	if v, err := obis.ParseDecimal(value); err == nil {
		r.Kind, r.Value, r.Unit, r.Time = obis.Number, v.Shift(h.prefix), h.unit, h.time
	}
}
