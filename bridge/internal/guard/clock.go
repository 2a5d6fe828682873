package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A clock is the Guard's own. It never goes back, and from one telegram to the next it goes as far as the clock of the machine or that
// of the meter, whichever went further: a recording is read in no time, a small computer may start at the time when it was switched off,
// and many telegrams have no clock. The meter's is not asked where it is not needed, and cannot excuse everything when it is wrong:
//
//   - where both have gone alike for a minute, this is a live meter, and our clock does. Whatever the meter's jumps to is no time that passed;
//   - more than an hour at once counts only from the furthest that it has come: two meters whose telegrams alternate do not make time;
//   - more than 31 days at once do not count.
type clock struct {
	now  int64     // in ms
	wall time.Time // of the last telegram, zero before the first

	meter    int64 // the meter's clock when it came last, Unix time; 0 for never
	meterAt  int64 // what now was then
	furthest int64 // that the meter's clock has come
	pace     pace
}

const mostByMeter = 31 * 24 * hour

// advance goes on to the time of a telegram.
func (c *clock) advance(wall time.Time, meter obis.Time) {
	if !c.wall.IsZero() {
		c.now += passed(c.wall, wall)
	}
	c.wall = wall
	if meter.Valid() {
		c.hear(wall, meter.Time(time.UTC).Unix()) // one without a zone is taken for UTC: only differences matter
	}
}

// passed returns the ms between two times. The monotonic clock survives that the time is set, the other one that the machine sleeps.
func passed(from, to time.Time) int64 {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)), 0).Milliseconds()
}

// hear takes in the meter's clock.
func (c *clock) hear(wall time.Time, at int64) {
	live := c.pace.kept(wall.Unix(), at)
	if c.meter != 0 && !live {
		c.now = max(c.now, c.meterAt+max(0, min(at-c.meter, hour/second), min(at-c.furthest, mostByMeter/second))*second)
	}
	c.meter, c.meterAt, c.furthest = at, c.now, max(c.furthest, at)
}

// pace compares two clocks, in s.
type pace struct {
	wall, meter int64 // since when they have gone alike
	last        int64 // wall of the last telegram
}

const (
	enoughPace    = 60
	paceTolerance = 10 // a telegram may come late
)

// kept tells if they have gone alike for long enough up to the telegram before this.
func (p *pace) kept(wall, meter int64) bool {
	live := p.last-p.wall >= enoughPace
	if off := (wall - p.wall) - (meter - p.meter); p.last == 0 || off > paceTolerance || off < -paceTolerance {
		p.wall, p.meter = wall, meter
	}
	p.last = wall
	return live
}
