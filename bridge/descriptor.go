package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Descriptor describes a quantity that a meter sends, as it is announced to hubs.
type Descriptor struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Decimals is the number of decimals of its values as they are published.
	Decimals uint8
	// Every is the time between two values, rounded to 1 min, 15 min, 1 h or 24 h.
	Every time.Duration
}

// cadence tracks how often a meter sends one quantity. Nordic meters send powers every few seconds and counters once an hour.
type cadence struct {
	every    time.Duration // the rounded interval; 0 until two gaps are known or an earlier run is restored
	lastGap  time.Duration // the last gap between two values, rounded; 0 before the second value
	lastSeen time.Time     // when the last value came; zero if none has come in this run
}

// minRoundedInterval is the first of roundedIntervals.
const minRoundedInterval = time.Minute

// roundedIntervals are the values of Descriptor.Every. There are only four, because a hub sets up a device again when its announcement changes.
var roundedIntervals = []time.Duration{minRoundedInterval, 15 * time.Minute, time.Hour, 24 * time.Hour}

// roundInterval returns the first of roundedIntervals that the gap exceeds by half at most.
func roundInterval(gap time.Duration) time.Duration {
	for _, c := range roundedIntervals[:len(roundedIntervals)-1] {
		if gap <= c+c/2 {
			return c
		}
	}
	return roundedIntervals[len(roundedIntervals)-1]
}

// addValue adds the time of a value. The interval becomes longer only after two long gaps in a row, so that one lost list changes nothing.
func (c *cadence) addValue(now time.Time) {
	if !c.lastSeen.IsZero() {
		gap := roundInterval(now.Sub(c.lastSeen))
		if c.lastGap != 0 {
			c.every = min(c.lastGap, gap)
		}
		c.lastGap = gap
	}
	c.lastSeen = now
}

// addMissing takes into account for how long the quantity has been missing while the meter sent telegrams.
func (c *cadence) addMissing(missing time.Duration) {
	if c.lastGap == 0 && c.every <= minRoundedInterval && missing > 10*minRoundedInterval {
		c.every = time.Hour // the quantity came once, most likely in an hourly list
	}
}

// roundedInterval returns the interval as Descriptor.Every has it. It is never 0.
func (c *cadence) roundedInterval() time.Duration { return max(c.every, minRoundedInterval) }
