package p1

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Telegram is a parsed telegram. Its fields belong to the bytes it was parsed from, and are valid as long as those.
type Telegram struct {
	// Ident is the identification line without its '/': "ADN9 6534".
	Ident []byte
	// Checked tells that the telegram carried a checksum, and that it was right.
	Checked bool
	// Records are the data lines in the meter's order. A code with several values keeps them all in Text, in their
	// parentheses, except a stamp before a number.
	Records []obis.Record
}

// Faults of a telegram that have nothing to add.
var (
	errEnd      = errors.New("p1: no '!' at the end: cut, or run into the next telegram")
	errChecksum = errors.New("p1: what follows the '!' is not a checksum of four hexadecimal digits")
	errLong     = fmt.Errorf("p1: no end after %d bytes", MaxLength)
	errIdent    = errors.New("p1: no identification line")
	errEmpty    = errors.New("p1: no data in a telegram without checksum")
)

// Parse reads a telegram as Split delimits it. The Telegram's own slice of records is used again, so that nothing is
// allocated once it has grown. The checksum is verified before anything else is read; a telegram that carries none is
// accepted when every line of it is well formed. After an error the Telegram holds nothing.
func (t *Telegram) Parse(b []byte) error {
	t.Ident, t.Checked, t.Records = nil, false, t.Records[:0]
	body, checked, err := verify(b)
	if err != nil {
		return err
	}
	end := bytes.IndexByte(body, '\n')
	if end < 1 || body[0] != '/' {
		return errIdent
	}
	ident := bytes.TrimRight(body[1:end], "\r\n")
	for rest := body[end+1:]; len(rest) > 0; {
		n, ok := t.parseLine(rest)
		if !ok && !checked {
			t.Records = t.Records[:0]
			line := 1 + bytes.Count(body[:len(body)-len(rest)], []byte("\n"))
			return fmt.Errorf("p1: line %d is malformed, in a telegram without checksum", line)
		}
		rest = rest[n:]
	}
	if len(t.Records) == 0 && !checked {
		return errEmpty
	}
	t.Ident, t.Checked = ident, checked
	return nil
}

// verify returns what stands between '/' and '!', and whether a checksum vouches for it.
func verify(b []byte) (body []byte, checked bool, err error) {
	i := bytes.LastIndexByte(b, '!')
	if i < 1 || b[i-1] != '\n' {
		if len(b) >= MaxLength {
			return nil, false, errLong
		}
		return nil, false, errEnd
	}
	sum := bytes.TrimRight(b[i+1:], "\r\n")
	if len(sum) == 0 && i+1 < len(b) {
		return b[:i], false, nil
	}
	if len(sum) != 4 {
		return nil, false, errChecksum
	}
	var got uint16
	for _, x := range sum {
		if !isHex(x) {
			return nil, false, errChecksum
		}
		digit := x & 0x0F
		if x > '9' {
			digit += 9
		}
		got = got<<4 | uint16(digit)
	}
	if want := Checksum(b[:i+1]); want != got {
		return nil, false, fmt.Errorf("p1: checksum: want %04X, got %04X", want, got)
	}
	return b[:i], true, nil
}

// parseLine appends the record of the line at the start of b and returns the line's length with its end. A line that
// holds no code and value gives no record and false; an empty one is well formed.
func (t *Telegram) parseLine(b []byte) (n int, ok bool) {
	if isLineEnd(b[0]) {
		return 1, true
	}
	code, i := obis.ReadCode(b)
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		end = len(b) - 1
	}
	n = end + 1
	for end >= 0 && isLineEnd(b[end]) {
		end--
	}
	if i == 0 || end <= i || b[i] != '(' || b[end] != ')' {
		return n, false
	}
	t.Records = append(t.Records, obis.Record{Code: code})
	parseValue(&t.Records[len(t.Records)-1], b[i:end+1])
	return n, true
}

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
	stamp, stamped := parseTime(b[1:k])
	second := b[k+2 : len(b)-1]
	if !stamped || bytes.IndexByte(second, '(') >= 0 || !number(r, second) {
		return
	}
	r.Text, r.Time = second, stamp
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
	if star < 0 {
		return false
	}
	unit, prefix, ok := obis.ParseUnit(b[star+1:])
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
