package p1

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Offsets from UTC, in minutes, of the letters behind a stamp: W is normal time, S is summer time, of Central Europe
// (P1 Companion Standard 5.0.2, 6.4; Swedish branch recommendation 2.0, annex 3). Finnish and Baltic meters send the
// same letters an hour further east; nothing in the telegram tells.
const (
	winterOffset = 60
	summerOffset = 120
)

// parseTime reads a stamp: YYMMDDhhmmss with W, S or nothing behind it, one of stampForms, or a COSEM date-time in hexadecimal.
func parseTime(b []byte) (obis.Time, bool) {
	b = trimmed(b)
	switch len(b) {
	case 10, 14, 17:
		return parseForms(b)
	case 12:
		return parseDigits(b)
	case 13:
		t, ok := parseDigits(b[:12])
		switch t.Zone = true; b[12] | 0x20 {
		case 'w':
			t.Offset = winterOffset
		case 's':
			t.Offset = summerOffset
		default:
			return obis.Time{}, false
		}
		return t, ok
	case 2 * obis.DateTimeLength:
		return parseHexDateTime(b)
	}
	return obis.Time{}, false
}

// stampForms are how meters write a stamp, but for that of P1 telegrams: a letter of year, month, day, hour, minute or second for
// its figure. The first is that of NES; the others are of readouts of IEC 62056-21.
var stampForms = [...]string{
	"20YYMMDD hh:mm:ss", "YYMMDDhhmm", "YY-MM-DD,hh:mm", "YY-MM-DD hh:mm", "YY-MM-DD,hh:mm:ss", "YY-MM-DD hh:mm:ss",
}

// parseForms reads a stamp of one of stampForms.
func parseForms(b []byte) (obis.Time, bool) {
	for _, form := range stampForms {
		if d, ok := figuresOf(b, form); ok {
			return parseDigits(d[:])
		}
	}
	return obis.Time{}, false
}

// figures takes the figures of a stamp of that form from b, in the order of YYMMDDhhmmss. What the form does not have is 0.
func figuresOf(b []byte, form string) (d [12]byte, ok bool) {
	if len(b) != len(form) {
		return d, false
	}
	for i := range d {
		d[i] = '0'
	}
	n := 0
	for i := range b {
		switch c := form[i] | 0x20; {
		case c < 'a':
			if b[i] != form[i] {
				return d, false
			}
		default:
			d[n] = b[i]
			n++
		}
	}
	return d, true
}

// parseOctets reads a COSEM date-time in hexadecimal, of a year that tells it from a number.
func parseHexDateTime(b []byte) (obis.Time, bool) {
	var o [obis.DateTimeLength]byte
	if _, err := hex.Decode(o[:], b); err != nil {
		return obis.Time{}, false
	}
	t := obis.ReadDateTime(o[:])
	return t, t.Year >= 1900 && t.Year < 2100
}

// ParseClock puts a clock together that the meter sends in two records: the time hhmmss (1-0:0.9.1) and the date YYMMDD or
// YYYYMMDD (1-0:0.9.2), as Iskraemeco meters do, or hh:mm:ss and YY-MM-DD. Its zone is not known.
func ParseClock(timeText, dateText []byte) (obis.Time, bool) {
	var room [24]byte
	d := unpunctuated(room[:0], dateText)
	if len(d) == len("YYYYMMDD") {
		d = bytes.TrimPrefix(d, []byte("20"))
	}
	if len(d) != len("YYMMDD") {
		return obis.Time{}, false
	}
	if d = unpunctuated(d, timeText); len(d) != len("YYMMDDhhmmss") {
		return obis.Time{}, false
	}
	return parseDigits(d)
}

// unpunctuated appends b without '-' and ':', as far as dst has room.
func unpunctuated(dst, b []byte) []byte {
	for _, x := range trimmed(b) {
		if x != '-' && x != ':' && len(dst) < cap(dst) {
			dst = append(dst, x)
		}
	}
	return dst
}

// unset is the year from which on two digits are of the last century: 70 is what clocks show that were never set.
const firstYearOf1900s = 70

// parseDigits reads YYMMDDhhmmss.
func parseDigits(b []byte) (obis.Time, bool) {
	var v [6]uint8
	for i := range v {
		hi, lo := b[2*i]-'0', b[2*i+1]-'0'
		if hi > 9 || lo > 9 {
			return obis.Time{}, false
		}
		v[i] = hi*10 + lo
	}
	t := obis.Time{Year: 2000 + uint16(v[0]), Month: v[1], Day: v[2], Hour: v[3], Minute: v[4], Second: v[5]}
	if v[0] >= firstYearOf1900s {
		t.Year -= 100
	}
	return t, t.Valid()
}
