package simulate

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A State is what a meter knows at one second. Arrays are L1, L2, L3; in a household of one phase the others stay zero.
type State struct {
	// Time is a whole second, in UTC. What follows is what holds in the second that ends here.
	Time time.Time
	// Power is in W, positive where it is taken from the grid.
	Power [3]int64
	// Reactive is in var, positive where it is taken from the grid.
	Reactive [3]int64
	// Voltage is in 0.1 V, to the neutral.
	Voltage [3]int64
	// Current is in mA, negative where Power is.
	Current [3]int64
	// Energies are counted up to Time.
	Energies Energies
	// Hour is the last whole hour, Time itself where that is one, and HourEnergies are those at that time: what Norwegian
	// meters send once an hour.
	Hour         time.Time
	HourEnergies Energies
}

// Energies are the four registers of a meter, in Ws and in var·s, so that a sum over seconds is exact. Each second counts
// towards one direction alone: that of the sum of its phases.
type Energies struct {
	Import, Export                 int64
	ImportReactive, ExportReactive int64
}

// Net returns active and reactive power summed over the phases, in W and var, positive where taken from the grid.
func (s *State) Net() (watts, vars int64) {
	for i := range s.Power {
		watts += s.Power[i]
		vars += s.Reactive[i]
	}
	return watts, vars
}

func (e *Energies) add(s *State) {
	watts, vars := s.Net()
	e.Import += max(watts, 0)
	e.Export += max(-watts, 0)
	e.ImportReactive += max(vars, 0)
	e.ExportReactive += max(-vars, 0)
}

// Group D of what a register holds (IEC 62056-61, table 5).
const (
	instant  = 7
	integral = 8
)

// Group C of L1; that of the next phase is 20 more. Power and energy have 1 to 4 for the sum, 21 to 24 for L1.
const (
	currentL1 = 31
	voltageL1 = 32
)

// value returns what a register shows whose last digit is worth 10^exp of its base unit. Behind a current transformer it
// shows the part that goes through the meter.
func (s *State) value(code obis.Code, exp int8, ratio int64) obis.Decimal {
	phase := int64(code[2]/20) - 1
	var v int64
	switch c := code[2]; {
	case code[3] == integral:
		return obis.Decimal{Coef: counter(s.Energies.of(c), exp, ratio), Exp: exp}
	case c%20 == currentL1%20:
		v = rounded(s.Current[phase], 100*ratio)
	case c%20 == voltageL1%20:
		v = s.Voltage[phase]
	default:
		v = s.power(c) * power10(-exp) / ratio
	}
	return obis.Decimal{Coef: v, Exp: exp}
}

// power returns the power of a group C: 1 import, 2 export, 3 and 4 the same of reactive power; 20 more for each phase.
func (s *State) power(c byte) int64 {
	watts, vars := s.Net()
	if c > 20 {
		phase := c/20 - 1
		watts, vars = s.Power[phase], s.Reactive[phase]
	}
	return [...]int64{max(watts, 0), max(-watts, 0), max(vars, 0), max(-vars, 0)}[c%20-1]
}

func (e *Energies) of(c byte) int64 {
	return [...]int64{e.Import, e.Export, e.ImportReactive, e.ExportReactive}[c-1]
}

// counter converts Ws to what a register has counted to, in 10^exp Wh: the part that is not full yet does not show.
func counter(ws int64, exp int8, ratio int64) int64 {
	return ws * power10(-exp) / (3600 * power10(exp) * ratio)
}

// power10 returns 10^n, 1 for a negative n.
func power10(n int8) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// rounded returns v/by, rounded half away from zero.
func rounded(v, by int64) int64 {
	if v < 0 {
		return -rounded(-v, by)
	}
	return (v + by/2) / by
}
