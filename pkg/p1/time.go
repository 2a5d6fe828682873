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

// parseDigits reads YYMMDDhhmmss, a year of this century.
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
	return t, t.Valid()
}
