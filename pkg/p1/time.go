package p1

import (
	"bytes"
	"encoding/hex"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Offsets from UTC, in minutes, of the letter after a time stamp: W is winter time and S is summer time in Central Europe (DSMR P1 5.0.2, 6.4;
// Swedish branch recommendation 2.0, annex 3). Finnish and Baltic meters send the same letters, although their time is one hour further ahead.
// A telegram does not say in which time zone its meter is.
const (
	winterOffset = 60
	summerOffset = 120
)

// parseTime reads a time stamp: YYMMDDhhmmss followed by W, S or nothing, one of stampForms, or a COSEM date-time in hexadecimal.
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

// stampForms are other forms of time stamps. Each letter of a form is a digit of the year (YY), month (MM), day, hour, minute (mm) or second. NES
// meters send the first form. The other forms are in readouts of IEC 62056-21.
var stampForms = [...]string{
	"20YYMMDD hh:mm:ss", "YYMMDDhhmm", "YY-MM-DD,hh:mm", "YY-MM-DD hh:mm", "YY-MM-DD,hh:mm:ss", "YY-MM-DD hh:mm:ss",
}

// parseForms reads a time stamp of one of stampForms.
func parseForms(b []byte) (obis.Time, bool) {
	for _, form := range stampForms {
		if d, ok := digitsOf(b, form); ok {
			return parseDigits(d[:])
		}
	}
	return obis.Time{}, false
}

// digitsOf returns the digits of a time stamp in the order YYMMDDhhmmss. Digits that the form does not have are '0'. ok is false if b is not of
// the form.
func digitsOf(b []byte, form string) (d [12]byte, ok bool) {
	if len(b) != len(form) {
		return d, false
	}
	for i := range d {
		d[i] = '0'
	}
	n := 0
	for i := range b {
		if isLetter := form[i]|0x20 >= 'a'; isLetter {
			d[n] = b[i]
			n++
		} else if b[i] != form[i] {
			return d, false
		}
	}
	return d, true
}

// parseHexDateTime reads a COSEM date-time in hexadecimal. A text whose year is not from 1900 to 2099 is not a date-time.
func parseHexDateTime(b []byte) (obis.Time, bool) {
	var o [obis.DateTimeLength]byte
	if _, err := hex.Decode(o[:], b); err != nil {
		return obis.Time{}, false
	}
	t := obis.ReadDateTime(o[:])
	return t, t.Year >= 1900 && t.Year < 2100
}

// ParseClock reads a clock that a meter sends in two records, as Iskraemeco meters do: the time hhmmss or hh:mm:ss (1-0:0.9.1) and the date
// YYMMDD, YY-MM-DD or YYYYMMDD (1-0:0.9.2). The time has no offset from UTC. ok is false if one of the texts is not of such a form.
func ParseClock(timeText, dateText []byte) (t obis.Time, ok bool) {
	var buf [24]byte
	d := unpunctuated(buf[:0], dateText)
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

// unpunctuated appends b to dst without '-' and ':', up to the capacity of dst.
func unpunctuated(dst, b []byte) []byte {
	for _, x := range trimmed(b) {
		if x != '-' && x != ':' && len(dst) < cap(dst) {
			dst = append(dst, x)
		}
	}
	return dst
}

// Two-digit years from firstYearOf1900s on are 19xx: clocks that were never set show 1970.
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
