package obis

import (
	"encoding/binary"
	"math"
	"time"
)

// A Time is what a meter's clock shows. Meters often do not say in which zone, so it is kept apart from time.Time. The
// zero Time is none.
type Time struct {
	Year                             uint16
	Month, Day, Hour, Minute, Second uint8
	// Zone says if Offset is known.
	Zone bool
	// Offset is the minutes to add to UTC to get this time: 60 in Sweden in winter.
	Offset int16
}

// IsZero tells if there is no time.
func (t Time) IsZero() bool { return t == Time{} }

// Valid tells if every field is in its range, the day within its month.
func (t Time) Valid() bool {
	if t.Month < 1 || t.Month > 12 || t.Hour > 23 || t.Minute > 59 || t.Second > 59 || t.Day < 1 {
		return false
	}
	days := time.Date(int(t.Year), time.Month(t.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return int(t.Day) <= days && t.Offset > -24*60 && t.Offset < 24*60
}

// Time returns the instant; a Time without a zone is taken to be in loc.
func (t Time) Time(loc *time.Location) time.Time {
	if t.Zone {
		loc = time.FixedZone("", int(t.Offset)*60)
	}
	return time.Date(int(t.Year), time.Month(t.Month), int(t.Day), int(t.Hour), int(t.Minute), int(t.Second), 0, loc)
}

// FromTime returns the wall clock of t with its zone, to the second.
func FromTime(t time.Time) Time {
	_, offset := t.Zone()
	return Time{
		Year: uint16(t.Year()), Month: uint8(t.Month()), Day: uint8(t.Day()),
		Hour: uint8(t.Hour()), Minute: uint8(t.Minute()), Second: uint8(t.Second()),
		Zone: true, Offset: int16(offset / 60),
	}
}

// DateTimeLength is how many bytes a COSEM date-time has (IEC 62056-6-2, 4.1.6.1): year (2), month, day, day of week, hour, minute, second,
// hundredths, deviation (2) and status.
const DateTimeLength = 12

// ReadDateTime reads a COSEM date-time. The day of week is not looked at: Aidon sends 0 on Sundays, Kaifa 7. It returns the zero Time
// where b has another length, or fields that are not specified, or wrong.
func ReadDateTime(b []byte) Time {
	if len(b) != DateTimeLength {
		return Time{}
	}
	t := Time{Year: binary.BigEndian.Uint16(b), Month: b[2], Day: b[3], Hour: b[5], Minute: b[6], Second: b[7]}
	// The deviation is what to add to local time to get UTC, in minutes; 8000 is "not specified".
	if deviation := int16(binary.BigEndian.Uint16(b[9:])); deviation != math.MinInt16 {
		t.Zone, t.Offset = true, -deviation
	}
	if !t.Valid() || t.Year > 9999 {
		return Time{}
	}
	return t
}

// String returns the time as RFC 3339, without a zone where the zone is unknown: "2019-12-16T07:59:40+01:00".
func (t Time) String() string { return string(t.Append(nil)) }

// Append appends what String returns.
func (t Time) Append(dst []byte) []byte {
	local := time.Date(int(t.Year), time.Month(t.Month), int(t.Day), int(t.Hour), int(t.Minute), int(t.Second), 0, time.UTC)
	dst = local.AppendFormat(dst, "2006-01-02T15:04:05")
	if !t.Zone {
		return dst
	}
	sign, off := byte('+'), int(t.Offset)
	if off < 0 {
		sign, off = '-', -off
	}
	dst = two(append(dst, sign), off/60)
	return two(append(dst, ':'), off%60)
}

func two(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }
