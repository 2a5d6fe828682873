package p1

import "github.com/hanbridge/hanbridge/pkg/obis"

// Offsets from UTC, in minutes, of the letters behind a stamp: W is normal time, S is summer time, of Central Europe
// (P1 Companion Standard 5.0.2, 6.4; Swedish branch recommendation 2.0, annex 3). Finnish and Baltic meters send the
// same letters an hour further east; nothing in the telegram tells.
const (
	winter = 60
	summer = 120
)

// parseTime reads YYMMDDhhmmss, with W or S behind it or without, and the 20240111 09:35:00 of NES meters.
func parseTime(b []byte) (obis.Time, bool) {
	switch len(b) {
	case 12:
		return parseDigits(b)
	case 13:
		t, ok := parseDigits(b[:12])
		switch t.Zone = true; b[12] {
		case 'W':
			t.Offset = winter
		case 'S':
			t.Offset = summer
		default:
			return obis.Time{}, false
		}
		return t, ok
	case 17:
		if b[8] != ' ' || b[11] != ':' || b[14] != ':' {
			return obis.Time{}, false
		}
		var d [12]byte
		copy(d[0:6], b[2:8])
		copy(d[6:8], b[9:11])
		copy(d[8:10], b[12:14])
		copy(d[10:12], b[15:17])
		return parseDigits(d[:])
	}
	return obis.Time{}, false
}

// JoinTime puts a clock together that the meter sends in two records: the time hhmmss (1-0:0.9.1) and the date YYMMDD or
// YYYYMMDD (1-0:0.9.2), as Iskraemeco meters do. Its zone is not known.
func JoinTime(timeText, dateText []byte) (obis.Time, bool) {
	if len(timeText) != 6 || len(dateText) != 6 && len(dateText) != 8 {
		return obis.Time{}, false
	}
	if len(dateText) == 8 && string(dateText[:2]) != "20" {
		return obis.Time{}, false
	}
	var d [12]byte
	copy(d[:6], dateText[len(dateText)-6:])
	copy(d[6:], timeText)
	return parseDigits(d[:])
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
