package simulate

import (
	"time"

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

// isSummer tells if summer time holds at t: from 01:00 UTC on the last Sunday of March to the same in October (directive
// 2000/84/EC).
func isSummer(t time.Time) bool {
	y := t.UTC().Year()
	return !t.Before(lastSunday(y, time.March)) && t.Before(lastSunday(y, time.October))
}

func lastSunday(y int, m time.Month) time.Time {
	last := time.Date(y, m, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}
