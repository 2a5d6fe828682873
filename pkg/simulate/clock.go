package simulate

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A zone is how a clock is set: so many minutes ahead of UTC in winter, and whether it goes an hour further in summer. It
// stands here because a machine without a database of time zones must give the same telegrams.
type zone struct {
	normal int16
	saving bool
}

var (
	// swedishNormal is what meters in Sweden show all year (branch recommendation 2.0, annex 3).
	swedishNormal = zone{normal: 60}
	// centralEuropean is what people's clocks show there, and those of some meters.
	centralEuropean = zone{normal: 60, saving: true}
	finnish         = zone{normal: 120, saving: true}
)

// clock returns what a clock of the zone shows at t.
func (z zone) clock(t time.Time) obis.Time {
	offset := z.offset(t)
	c := obis.FromTime(t.UTC().Add(time.Duration(offset) * time.Minute))
	c.Offset = offset
	return c
}

func (z zone) offset(t time.Time) int16 {
	if z.saving && isSummer(t) {
		return z.normal + 60
	}
	return z.normal
}

// isSummer tells if summer time holds: from 01:00 UTC on the last Sunday of March to the same in October (directive 2000/84/EC).
func isSummer(t time.Time) bool {
	y := t.UTC().Year()
	return !t.Before(lastSunday(y, time.March)) && t.Before(lastSunday(y, time.October))
}

func lastSunday(y int, m time.Month) time.Time {
	last := time.Date(y, m, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

// A clock is how a make fills the 12 bytes of a date-time.
type clock struct {
	zone
	// unspecified is for those that send no deviation, lying for those that send 0 in any zone.
	unspecified, lying bool
	// tagged is for Kaifa, which writes a tag before the date-time of a data-notification.
	tagged bool
	// sundayZero is for Aidon, whose week begins with 0 on Sundays; others send 7.
	sundayZero bool
	// hundredths are FF or 0; status what is set beside 80 in summer, which flagged ones set.
	hundredths, status byte
	flagged            bool
}

func (c clock) at(t time.Time) dlms.DateTime {
	wall := c.clock(t)
	d := dlms.DateTime{Time: wall, Weekday: dlms.Weekday(wall), Hundredths: c.hundredths, Status: c.status}
	if d.Weekday == 7 && c.sundayZero {
		d.Weekday = 0
	}
	if c.flagged && wall.Offset != c.normal {
		d.Status |= 0x80
	}
	if c.unspecified {
		d.Zone = false
	}
	if c.lying {
		d.Offset = 0
	}
	return d
}

// An invoke is the long-invoke-id-and-priority of a make, which some count up.
type invoke struct {
	id     uint32
	counts bool
}

func (i invoke) of(s *State) uint32 {
	if i.counts {
		return i.id | frameCounter(s)&0xFFFFFF
	}
	return i.id
}

var (
	// fixedInvoke is what most Nordic meters send for ever.
	fixedInvoke    = invoke{id: 0x40000000}
	countingInvoke = invoke{counts: true}
)

// Heads of data-notifications, without a time and with one.

func (i invoke) unstamped() encoder {
	return func(dst []byte, s *State) []byte { return dlms.AppendNotification(dst, i.of(s)) }
}

func (i invoke) stamped(c clock) encoder {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendTimestampedNotification(dst, i.of(s), c.at(s.Time), c.tagged)
	}
}
