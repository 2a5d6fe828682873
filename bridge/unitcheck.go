package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// unitCheck compares the rise of an energy counter with the power in the telegrams of the same time. Kamstrup's binary lists do not say whether
// they count Wh or 10 Wh. Values in a wrong unit stay in a hub's statistics for ever.
type unitCheck struct {
	lastPower   int64     // W, in the last telegram
	lastTime    time.Time // when the last telegram came
	used        int64     // energy computed from the power, in W·ms, since counter was set
	counter     int64     // the energy counter in Wh at the last comparison
	started     bool      // counter is set
	factorCount int       // how often in a row the counter rose about ten times too far; negative if it rose about a tenth
	done        bool      // the result is known, so nothing is compared any more
}

const (
	// minEnergy is how much must have been used before counter and power are compared, in Wh. It is large, so that steps of 10 Wh do not matter.
	minEnergy = 300
	// maxStep is the longest time between two telegrams for which the power is taken as constant.
	maxStep = 90 * time.Second
	// minFactorCount is how often in a row counter and power must differ by the same factor.
	minFactorCount = 2

	wattMillis = int64(time.Hour / time.Millisecond) // W·ms in a Wh
)

// add adds the power, in W, and the energy, in kWh, of a telegram. Each is nil if the telegram does not have it. If the counter rises ten times
// too fast, add returns 10 once. If it rises at a tenth of the right speed, add returns -10 once. Otherwise it returns 0.
func (c *unitCheck) add(now time.Time, power, energy *obis.Decimal) (factor int) {
	if c.done {
		return 0
	}
	step := now.Sub(c.lastTime)
	if step > maxStep || step < 0 {
		c.started, c.used = false, 0
	} else {
		c.used += c.lastPower * step.Milliseconds()
	}
	c.lastTime = now
	if power != nil {
		c.lastPower = integer(*power)
	}
	if energy == nil {
		return 0
	}
	counter := integer(energy.Shift(3))
	used, rise := c.used/wattMillis, counter-c.counter
	if c.started && used < minEnergy && rise >= 0 {
		return 0
	}
	if c.started {
		c.compare(used, rise)
	}
	c.counter, c.used, c.started = counter, 0, true
	if c.factorCount == minFactorCount || c.factorCount == -minFactorCount {
		c.done = true
		return 10 * c.factorCount / minFactorCount
	}
	return 0
}

// compare compares the rise of the counter with the energy that was used meanwhile, both in Wh.
func (c *unitCheck) compare(used, rise int64) {
	switch {
	case rise >= 5*used && rise <= 20*used:
		c.factorCount = max(c.factorCount, 0) + 1
	case rise*5 <= used && rise*20 >= used:
		c.factorCount = min(c.factorCount, 0) - 1
	default:
		c.factorCount = 0
		c.done = rise >= used/2 && rise <= used*2 // counter and power agree
	}
}

// integer returns the whole part of a number.
func integer(d obis.Decimal) int64 {
	for ; d.Exp < 0; d.Exp++ {
		d.Coef /= 10
	}
	for ; d.Exp > 0; d.Exp-- {
		d.Coef *= 10
	}
	return d.Coef
}
