package dlms

import (
	"math"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A DateTime is a clock as meters write it in 12 bytes (IEC 62056-6-2, 4.1.6.1). Makes fill what is beside the time in
// different ways.
type DateTime struct {
	// Time is on the meter's wall. Its Offset is sent as the deviation; without a Zone that is "not specified".
	obis.Time
	// Weekday counts from Monday, 1; see Weekday. Hundredths of a second are FF where they are not specified.
	Weekday, Hundredths byte
	// Status has 80 (hexadecimal) while summer time holds, in the makes that say so; FF is "not specified".
	Status byte
}

// Weekday returns the day of week, from 1 on Mondays to 7 on Sundays.
func Weekday(t obis.Time) byte {
	return byte(t.Time(time.UTC).Weekday()+6)%7 + 1
}

// Append appends the 12 bytes without a tag.
func (d DateTime) Append(dst []byte) []byte {
	deviation := uint16(math.MaxInt16 + 1) // not specified
	if d.Zone {
		deviation = uint16(-d.Offset)
	}
	dst = append(appendUint16(dst, d.Year), d.Month, d.Day, d.Weekday, d.Hour, d.Minute, d.Second, d.Hundredths)
	return append(appendUint16(dst, deviation), d.Status)
}

// AppendDateTime appends the date-time as an octet-string, with tag and length.
func AppendDateTime(dst []byte, d DateTime) []byte {
	return d.Append(append(dst, tagOctetString, dateTimeLength))
}
