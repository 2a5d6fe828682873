package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// weigh warns once of a counter that contradicts the power. It is read all the same: who reads the warning knows better.
func (p *pipeline) weigh(now time.Time, samples []quantity.Sample) {
	var power, energy *obis.Decimal
	for i := range samples {
		switch samples[i].ID.String() {
		case "import_power":
			power = &samples[i].Value
		case "import_energy":
			energy = &samples[i].Value
		}
	}
	switch p.units.add(now, power, energy) {
	case 10:
		p.log.Warn().Msg("import_energy counts ten times what import_power says: this meter most likely counts in Wh. Give it " +
			"scale: {import_energy: 0.1, export_energy: 0.1} in the configuration, and the same for its reactive energies")
	case -10:
		p.log.Warn().Msg("import_energy counts a tenth of what import_power says: this meter most likely counts in 10 Wh. Give it " +
			"scale: {import_energy: 10, export_energy: 10} in the configuration, and the same for its reactive energies")
	}
}

// unitCheck compares a counter of energy with the power that the meter told meanwhile. Kamstrup's binary lists do not say
// whether they count Wh or 10 Wh, and a wrong guess stays in somebody's statistics for ever.
type unitCheck struct {
	power   int64     // W, of the last telegram
	last    time.Time // when that came
	used    int64     // W·ms since counter was taken
	counter int64     // Wh
	started bool
	times   int // how often in a row the counter moved about ten times too far; negative: a tenth of it
	over    bool
}

const (
	// enoughEnergy is how much must have been used, in Wh, before the two are compared: steps of 10 Wh must not matter.
	enoughEnergy = 300
	// longestStep is how far apart two telegrams may be for the power between them to be known.
	longestStep = 90 * time.Second
	// enoughTimes is how often the two must differ in the same way.
	enoughTimes = 2

	wattMillis = int64(time.Hour / time.Millisecond) // W·ms in a Wh
)

// add takes what a telegram says of power, in W, and energy, in kWh; nil for what it does not say. It returns the factor by
// which the counter is wrong, 10 or -10 for a tenth, once, and 0 otherwise.
func (c *unitCheck) add(now time.Time, power, energy *obis.Decimal) (factor int) {
	if c.over {
		return 0
	}
	step := now.Sub(c.last)
	if step > longestStep || step < 0 {
		c.started, c.used = false, 0
	} else {
		c.used += c.power * step.Milliseconds()
	}
	c.last = now
	if power != nil {
		c.power = integer(*power)
	}
	if energy == nil {
		return 0
	}
	counter := integer(energy.Shift(3))
	used, moved := c.used/wattMillis, counter-c.counter
	if c.started && used < enoughEnergy && moved >= 0 {
		return 0
	}
	if c.started {
		c.compare(used, moved)
	}
	c.counter, c.used, c.started = counter, 0, true
	if c.times == enoughTimes || c.times == -enoughTimes {
		c.over = true
		return 10 * c.times / enoughTimes
	}
	return 0
}

// compare takes in by how much the counter has moved while so much was used, in Wh.
func (c *unitCheck) compare(used, moved int64) {
	switch {
	case moved >= 5*used && moved <= 20*used:
		c.times = max(c.times, 0) + 1
	case moved*5 <= used && moved*20 >= used:
		c.times = min(c.times, 0) - 1
	default:
		c.times = 0
		c.over = moved >= used/2 && moved <= used*2 // they agree
	}
}

// integer cuts a number to its whole part.
func integer(d obis.Decimal) int64 {
	for ; d.Exp < 0; d.Exp++ {
		d.Coef /= 10
	}
	for ; d.Exp > 0; d.Exp-- {
		d.Coef *= 10
	}
	return d.Coef
}
