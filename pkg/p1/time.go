package p1

import (
	"encoding/binary"
	"encoding/hex"
	"math"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// Offsets from UTC, in minutes, of the letters behind a stamp: W is normal time, S is summer time, of Central Europe
// (P1 Companion Standard 5.0.2, 6.4; Swedish branch recommendation 2.0, annex 3). Finnish and Baltic meters send the
// same letters an hour further east; nothing in the telegram tells.
const (
	winter = 60
	summer = 120
)

// parseTime reads a stamp: YYMMDDhhmmss, with W or S behind it or without, of either case, another of stampForms, or a COSEM
// date-time in hexadecimal.
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
			t.Offset = winter
		case 's':
			t.Offset = summer
		default:
			return obis.Time{}, false
		}
		return t, ok
	case 2 * cosemTime:
		return parseOctets(b)
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
		if d, ok := figures(b, form); ok {
			return parseDigits(d[:])
		}
	}
	return obis.Time{}, false
}

// figures takes the figures of a stamp of that form from b, in the order of YYMMDDhhmmss. What the form does not have is 0.
func figures(b []byte, form string) (d [12]byte, ok bool) {
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

// cosemTime is how many octets a COSEM date-time has (IEC 62056-6-2, 4.6.1): year (2), month, day, day of the week, hour,
// minute, second, hundredths, deviation (2) and status.
const cosemTime = 12

// parseOctets reads a COSEM date-time in hexadecimal. Its deviation is what to add to local time to get UTC, in minutes; 8000
// is "not specified".
func parseOctets(b []byte) (obis.Time, bool) {
	var o [cosemTime]byte
	if _, err := hex.Decode(o[:], b); err != nil {
		return obis.Time{}, false
	}
	t := obis.Time{Year: binary.BigEndian.Uint16(o[:]), Month: o[2], Day: o[3], Hour: o[5], Minute: o[6], Second: o[7]}
	if deviation := int16(binary.BigEndian.Uint16(o[9:])); deviation != math.MinInt16 {
		t.Zone, t.Offset = true, -deviation
	}
	const century = 100
	if t.Year < 19*century || t.Year >= 21*century {
		return obis.Time{}, false
	}
	return t, t.Valid()
}

// JoinTime puts a clock together that the meter sends in two records: the time hhmmss (1-0:0.9.1) and the date YYMMDD or
// YYYYMMDD (1-0:0.9.2), as Iskraemeco meters do, or hh:mm:ss and YY-MM-DD. Its zone is not known.
func JoinTime(timeText, dateText []byte) (obis.Time, bool) {
	var d [12]byte
	var long [8]byte
	timeText, dateText = trimmed(timeText), trimmed(dateText)
	switch n := unpunctuated(long[:], dateText); {
	case n == 6:
		copy(d[:], long[:n])
	case n == 8 && string(long[:2]) == "20":
		copy(d[:], long[2:])
	default:
		return obis.Time{}, false
	}
	if unpunctuated(long[:], timeText) != 6 {
		return obis.Time{}, false
	}
	copy(d[6:], long[:6])
	return parseDigits(d[:])
}

// unpunctuated copies b without '-' and ':' to dst and returns how many bytes that would take.
func unpunctuated(dst, b []byte) (n int) {
	for _, x := range b {
		if x == '-' || x == ':' {
			continue
		}
		if n < len(dst) {
			dst[n] = x
		}
		n++
	}
	return n
}

// unset is the year from which on two digits are of the last century: 70 is what clocks show that were never set.
const unset = 70

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
	if v[0] >= unset {
		t.Year -= 100
	}
	return t, t.Valid()
}
