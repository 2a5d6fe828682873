package obis

import (
	"encoding/binary"
	"math"
	"time"
)

// A Time is what a meter's clock shows, to the second. Time differs from time.Time because many meters do not send the offset from UTC.
// The zero Time means no time.
type Time struct {
	Year                             uint16
	Month, Day, Hour, Minute, Second uint8
	// Zone is true if the meter sent its offset from UTC.
	Zone bool
	// Offset is the number of minutes by which this time is ahead of UTC: 60 in Sweden in winter.
	Offset int16
}

// IsZero reports whether t is the zero Time, which means no time.
func (t Time) IsZero() bool { return t == Time{} }

// Valid reports whether every field is in its range, and the day exists in its month.
func (t Time) Valid() bool {
	if t.Month < 1 || t.Month > 12 || t.Hour > 23 || t.Minute > 59 || t.Second > 59 || t.Day < 1 {
		return false
	}
	days := time.Date(int(t.Year), time.Month(t.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return int(t.Day) <= days && t.Offset > -24*60 && t.Offset < 24*60
}

// Time returns t as a time.Time. loc is the time zone of the meter. Time uses loc only if t.Zone is false.
func (t Time) Time(loc *time.Location) time.Time {
	if t.Zone {
		loc = time.FixedZone("", int(t.Offset)*60)
	}
	return time.Date(int(t.Year), time.Month(t.Month), int(t.Day), int(t.Hour), int(t.Minute), int(t.Second), 0, loc)
}

// FromTime returns date, time of day and UTC offset of t in the location of t. Fractions of a second are cut off.
func FromTime(t time.Time) Time {
	_, offset := t.Zone()
	return Time{
		Year: uint16(t.Year()), Month: uint8(t.Month()), Day: uint8(t.Day()),
		Hour: uint8(t.Hour()), Minute: uint8(t.Minute()), Second: uint8(t.Second()),
		Zone: true, Offset: int16(offset / 60),
	}
}

// DateTimeLength is the length of a COSEM date-time in bytes (IEC 62056-6-2, 4.1.6.1): year (2), month, day, day of week, hour, minute,
// second, hundredths, deviation (2) and status.
const DateTimeLength = 12

// ReadDateTime reads a COSEM date-time (IEC 62056-6-2, 4.1.6.1). If the deviation is "not specified", Zone is false. ReadDateTime ignores
// day of week, hundredths and status. It returns the zero Time if b does not have DateTimeLength bytes, or if another field is out of range
// or "not specified".
func ReadDateTime(b []byte) Time {
	if len(b) != DateTimeLength {
		return Time{}
	}
	t := Time{Year: binary.BigEndian.Uint16(b), Month: b[2], Day: b[3], Hour: b[5], Minute: b[6], Second: b[7]}
	// Local time plus the deviation, in minutes, is UTC. The deviation 0x8000 (math.MinInt16) means "not specified".
	if deviation := int16(binary.BigEndian.Uint16(b[9:])); deviation != math.MinInt16 {
		t.Zone, t.Offset = true, -deviation
	}
	if !t.Valid() || t.Year > 9999 {
		return Time{}
	}
	return t
}

// String returns the time as in RFC 3339: "2019-12-16T07:59:40+01:00", or "2019-12-16T07:59:40" if Zone is false.
func (t Time) String() string { return string(t.Append(nil)) }

// Append appends the time to dst in the form of String, and returns the result.
func (t Time) Append(dst []byte) []byte {
	local := time.Date(int(t.Year), time.Month(t.Month), int(t.Day), int(t.Hour), int(t.Minute), int(t.Second), 0, time.UTC)
	dst = local.AppendFormat(dst, "2006-01-02T15:04:05")
	if !t.Zone {
		return dst
	}
	sign, offset := byte('+'), int(t.Offset)
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = appendTwoDigits(append(dst, sign), offset/60)
	return appendTwoDigits(append(dst, ':'), offset%60)
}

func appendTwoDigits(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }
