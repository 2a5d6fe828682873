package simulate

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A zone is a time zone. The package has its own zones, because telegrams must be the same on a machine without a time zone database.
type zone struct {
	standardOffset int16 // minutes ahead of UTC in winter
	summerTime     bool  // the clock is one hour further ahead in summer
}

var (
	// standardTimeAllYear is the standard time of Central Europe, which most Swedish meters and some Danish meters show also in summer (Swedish
	// branch recommendation 2.0, annex 3).
	standardTimeAllYear = zone{standardOffset: 60}
	// centralEuropean is the local time of Central Europe.
	centralEuropean = zone{standardOffset: 60, summerTime: true}
	// easternEuropean is the local time of Finland and Lithuania.
	easternEuropean = zone{standardOffset: 120, summerTime: true}
)

// localTime returns the time that a clock of the zone shows at t.
func (z zone) localTime(t time.Time) obis.Time {
	offset := z.offset(t)
	c := obis.FromTime(t.UTC().Add(time.Duration(offset) * time.Minute))
	c.Offset = offset
	return c
}

// offset returns how many minutes the zone is ahead of UTC at t.
func (z zone) offset(t time.Time) int16 {
	if z.summerTime && isSummer(t) {
		return z.standardOffset + 60
	}
	return z.standardOffset
}

// isSummer reports whether t is in summer time: from 01:00 UTC on the last Sunday of March to 01:00 UTC on the last Sunday of October
// (directive 2000/84/EC).
func isSummer(t time.Time) bool {
	y := t.UTC().Year()
	return !t.Before(lastSunday(y, time.March)) && t.Before(lastSunday(y, time.October))
}

// lastSunday returns 01:00 UTC on the last Sunday of a month of 31 days.
func lastSunday(y int, m time.Month) time.Time {
	last := time.Date(y, m, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

// A clock says how a manufacturer fills the 12 bytes of a COSEM date-time (IEC 62056-6-2).
type clock struct {
	zone
	// withoutDeviation is true for meters that send "not specified" as the deviation from UTC.
	withoutDeviation bool
	// zeroDeviation is true for meters that send a deviation of 0 in every zone.
	zeroDeviation bool
	// taggedHeader is true for Kaifa, which writes a tag before the date-time in the header of a data-notification.
	taggedHeader bool
	// sundayZero is true for Aidon, whose weekday is 0 on Sundays. Other meters send 7.
	sundayZero bool
	// hundredths is the byte for hundredths of a second: FF for "not specified", or 0.
	hundredths byte
	// status is the clock status, without the flag for summer time.
	status byte
	// summerFlag is true for meters that set bit 0x80 of the status during summer time.
	summerFlag bool
}

// dateTime returns the date-time that the meter sends at t.
func (c clock) dateTime(t time.Time) dlms.DateTime {
	local := c.localTime(t)
	d := dlms.DateTime{Time: local, Weekday: dlms.Weekday(local), Hundredths: c.hundredths, Status: c.status}
	if d.Weekday == 7 && c.sundayZero {
		d.Weekday = 0
	}
	if c.summerFlag && local.Offset != c.standardOffset {
		d.Status |= 0x80
	}
	if c.withoutDeviation {
		d.Zone = false
	}
	if c.zeroDeviation {
		d.Offset = 0
	}
	return d
}

// An invokeID says which long-invoke-id-and-priority a manufacturer sends (IEC 62056-5-3).
type invokeID struct {
	id     uint32
	counts bool // the meter increases the number from telegram to telegram
}

// value returns the long-invoke-id-and-priority in the telegram of a state.
func (i invokeID) value(s *State) uint32 {
	if i.counts {
		return i.id | frameCounter(s)&0xFFFFFF // the invoke id has 24 bits
	}
	return i.id
}

var (
	// fixedInvoke is the constant number that most Nordic meters send.
	fixedInvoke = invokeID{id: 0x40000000}
	// countingInvoke is a number that increases from telegram to telegram.
	countingInvoke = invokeID{counts: true}
)

// header returns the encoder of a data-notification's header without a time.
func (i invokeID) header() encoder {
	return func(dst []byte, s *State) []byte { return dlms.AppendNotification(dst, i.value(s)) }
}

// stampedHeader returns the encoder of a data-notification's header with the time of c.
func (i invokeID) stampedHeader(c clock) encoder {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendTimestampedNotification(dst, i.value(s), c.dateTime(s.Time), c.taggedHeader)
	}
}
