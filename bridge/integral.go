package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// The pair that is compared.
var comparedPower, comparedEnergy = rowNamed("import_power"), rowNamed("import_energy")

func rowNamed(name string) quantity.ID {
	id, ok := quantity.Named(name)
	if !ok {
		panic("bridge: no quantity " + name)
	}
	return id
}

// weigh warns once of a counter that contradicts the power. It is read all the same: who reads the warning knows better.
func (p *pipeline) weigh(now time.Time, samples []quantity.Sample) {
	var power, energy *obis.Decimal
	for i := range samples {
		switch samples[i].ID {
		case comparedPower:
			power = &samples[i].Value
		case comparedEnergy:
			energy = &samples[i].Value
		}
	}
	switch p.integral.add(now, power, energy) {
	case 10:
		p.log.Warn().Msg("import_energy counts ten times what import_power says: this meter most likely counts in Wh. Give it " +
			"scale: {import_energy: 0.1, export_energy: 0.1} in the configuration, and the same for its reactive energies")
	case -10:
		p.log.Warn().Msg("import_energy counts a tenth of what import_power says: this meter most likely counts in 10 Wh. Give it " +
			"scale: {import_energy: 10, export_energy: 10} in the configuration, and the same for its reactive energies")
	}
}

// integral compares a counter of energy with the power that the meter told meanwhile. Kamstrup's binary lists do not say
// whether they count Wh or 10 Wh, and a wrong guess stays in somebody's statistics for ever.
type integral struct {
	power   int64     // W, of the last telegram
	last    time.Time // when that came
	used    int64     // W·ms since counter was taken
	counter int64     // Wh
	started bool
	fast    int // how often in a row the counter moved about ten times too far; negative: a tenth of it
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
func (g *integral) add(now time.Time, power, energy *obis.Decimal) int {
	if g.over {
		return 0
	}
	step := now.Sub(g.last)
	if step > longestStep || step < 0 {
		g.started, g.used = false, 0
	} else {
		g.used += g.power * step.Milliseconds()
	}
	g.last = now
	if power != nil {
		g.power = integer(*power)
	}
	if energy == nil {
		return 0
	}
	return g.compare(integer(energy.Shift(3)))
}

func (g *integral) compare(counter int64) int {
	used, moved := g.used/wattMillis, counter-g.counter
	if g.started && used < enoughEnergy && moved >= 0 {
		return 0
	}
	started := g.started
	g.counter, g.used, g.started = counter, 0, true
	if !started {
		return 0
	}
	switch {
	case moved >= 5*used && moved <= 20*used:
		g.fast = max(g.fast, 0) + 1
	case moved*5 <= used && moved*20 >= used:
		g.fast = min(g.fast, 0) - 1
	case moved >= used/2 && moved <= used*2:
		g.over = true // they agree
	default:
		g.fast = 0
	}
	if g.fast == enoughTimes || g.fast == -enoughTimes {
		g.over = true
		return 10 * g.fast / enoughTimes
	}
	return 0
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
