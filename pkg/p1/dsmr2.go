package p1

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// blockCode is 0-n:24.3.0: how DSMR 2.2 and 3.0 send the last value of the meter on channel n (Dutch smart meter requirements,
// P1 2.2, 5.2): stamp, status, minutes between values, how many, code, unit. The value stands behind it, or on the next line:
//
//	0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)
//	(00908.123)
var dsmr2Code = [3]byte{24, 3, 0}

// block24 makes of a record of blockCode, whose Text are its values in their parentheses, one of the code that it names. What
// is no block, or waits for its value, is left as it is.
func parseDSMR2(r *obis.Record) {
	const inHeading = 6 // values before the value of the meter
	if bytes.Count(r.Text, []byte("(")) <= inHeading {
		return
	}
	if h, value, ok := readDSMR2(r.Text); ok && value != nil {
		fillDSMR2(r, h, value)
	}
}

// secondLine takes the value of a block whose first line is the last record. It returns false where that is no such line.
func (t *Telegram) dsmr2SecondLine(b []byte) bool {
	r := &t.Records[len(t.Records)-1]
	h, value, ok := readDSMR2(r.Text)
	if !ok || value != nil {
		return false
	}
	fillDSMR2(r, h, trimmed(b[1:len(b)-1]))
	return true
}

// a heading is what a block says about its value.
type dsmr2Heading struct {
	code   obis.Code
	time   obis.Time
	unit   obis.Unit
	prefix int8
}

// readBlock reads the values of a block; value is nil where it is not among them.
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
		switch i {
		case 0:
			h.time, ok = parseTime(field)
		case 4:
			n := 0
			h.code, n = obis.ReadCode(field)
			ok = n > 0 && n == len(field)
		case 5:
			h.unit, h.prefix, ok = obis.ParseUnit(field)
		case 6:
			value, ok = field, !more
		}
	}
	return h, value, ok && i >= 6
}

// fill makes r the record that the heading names. A value that is no number stays a text.
func fillDSMR2(r *obis.Record, h dsmr2Heading, value []byte) {
	*r = obis.Record{Code: h.code, Kind: obis.Text, Text: value}
	if v, err := obis.ParseDecimal(value); err == nil {
		r.Kind, r.Value, r.Unit, r.Time = obis.Number, v.Shift(h.prefix), h.unit, h.time
	}
}
