package bridge

import "time"

// cadence is how often a meter sends one quantity: Nordic meters send powers every few seconds and counters once an hour.
type cadence struct {
	every time.Duration // its class; 0 before two gaps are known, or what an earlier run knew
	gap   time.Duration // the class of the last gap
	came  time.Time     // when it last came; zero where that was in an earlier run
}

// cadences are the classes: a gap is of the first that it does not go much beyond. There are few, since hubs set a device up
// again when its announcement changes.
var cadences = []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

func classOf(gap time.Duration) time.Duration {
	for _, c := range cadences[:len(cadences)-1] {
		if gap <= c+c/2 {
			return c
		}
	}
	return cadences[len(cadences)-1]
}

// seen notes that the quantity has come, and tells if its class has changed: two gaps must agree, so that a list that was
// missed once changes nothing.
func (c *cadence) seen(now time.Time) (changed bool) {
	before := c.class()
	if !c.came.IsZero() {
		gap := classOf(now.Sub(c.came))
		if c.gap != 0 {
			c.every = min(c.gap, gap)
		}
		c.gap = gap
	}
	c.came = now
	return c.class() != before
}

// missing notes for how long it has not come though the meter speaks.
func (c *cadence) missing(silent time.Duration) (changed bool) {
	before := c.class()
	if c.gap == 0 && c.every <= cadences[0] && silent > 10*cadences[0] {
		c.every = time.Hour // it came once: most likely in an hourly list
	}
	return c.class() != before
}

// class is never 0.
func (c *cadence) class() time.Duration { return max(c.every, cadences[0]) }
