package simulate

import "github.com/hanbridge/hanbridge/pkg/obis"

// Group D of what a register holds (IEC 62056-61, table 5).
const (
	demand      = 4
	maximum     = 6
	instant     = 7
	integral    = 8
	lastAverage = 24
	sags        = 32
	swells      = 36
)

// Group C within a phase: that of L1 is 20 more, that of L2 40 more. Powers and energies have 1 to 4 for the sum.
const (
	quadrantOne   = 5 // to 8
	apparentPlus  = 9
	apparentMinus = 10
	ampere        = 11 // 31 for L1
	volt          = 12
	powerFactor   = 13
	frequency     = 14 // of the sum alone
	absolute      = 15
	netPower      = 16
)

// Value returns what a register shows, in its base unit (Wh, W, var, V, A, Hz), as exactly as the household knows it; false
// for one that it does not have. Gas, water and heat are fields.
func (s *State) Value(code obis.Code) (obis.Decimal, bool) {
	if !has(code) {
		return obis.Decimal{}, false
	}
	if code[3] == integral {
		return s.value(code, 0, 1), true
	}
	v, exp, _ := s.measured(code)
	return obis.Decimal{Coef: v, Exp: exp}, true
}

// has tells if measured or energy knows a register.
func has(code obis.Code) bool {
	c, phase, rate := code[2]%20, code[2]/20, code[4]
	switch code[3] {
	case demand, lastAverage:
		return phase == 0 && (c == 1 || c == 2)
	case maximum:
		return code[2] == 1
	case sags, swells:
		return phase >= 1 && phase <= 3 && c == volt
	case integral:
		return c >= 1 && c <= 4 && phase <= 3 && (phase == 0 && rate <= 4 || rate == 0) ||
			phase == 0 && rate == 0 && (c >= quadrantOne && c < apparentPlus || c == absolute)
	case instant:
		ofPhase := c == ampere || c == volt
		return c >= 1 && c <= netPower && phase <= 3 && (phase > 0 || !ofPhase) && (phase == 0 || c != frequency)
	}
	return false
}

// value returns what a register shows whose last digit is worth 10^exp of its base unit, behind a current transformer of that ratio.
func (s *State) value(code obis.Code, exp int8, ratio int64) obis.Decimal {
	if code[3] == integral {
		return obis.Decimal{Coef: counted(s.energy(code), exp, ratio), Exp: exp}
	}
	v, own, divided := s.measured(code)
	if !divided {
		ratio = 1
	}
	return obis.Decimal{Coef: rounded(v*power10(own-exp), power10(exp-own)*ratio), Exp: exp}
}

// energy returns what a counter has counted to, in Ws or var·s. Tariffs 3 and 4 are never in use.
func (s *State) energy(code obis.Code) int64 {
	e := &s.Energies
	c := code[2]
	switch rate := int(code[4]); {
	case rate > len(s.TariffEnergies):
		return 0
	case rate > 0:
		e = &s.TariffEnergies[rate-1]
	case c > 20:
		e, c = &s.PhaseEnergies[c/20-1], c%20
	}
	switch c {
	case absolute:
		return e.Import + e.Export
	case quadrantOne, quadrantOne + 1, quadrantOne + 2, quadrantOne + 3:
		return s.QuadrantEnergies[c-quadrantOne]
	}
	return [...]int64{e.Import, e.Export, e.ImportReactive, e.ExportReactive}[c-1]
}

// measured returns what a register of anything else shows, as v × 10^exp, and if current transformers divide it.
func (s *State) measured(code obis.Code) (v int64, exp int8, divided bool) {
	c := code[2]
	switch code[3] {
	case demand:
		return s.QuarterEnergy[c-1] / (15 * minute), 0, true
	case lastAverage:
		return s.LastQuarterPower[c-1], 0, true
	case maximum:
		return s.Peaks[0].Watts, 0, true
	case sags:
		return s.Sags[c/20-1], 0, false
	case swells:
		return s.Swells[c/20-1], 0, false
	}
	watts, vars := s.Net()
	phase := int(c)/20 - 1
	if phase >= 0 {
		watts, vars = s.Power[phase], s.ReactivePower[phase]
	}
	switch c % 20 {
	case ampere:
		return s.Current[phase], -3, true
	case volt:
		return s.Voltage[phase], -1, false
	case frequency:
		return s.Frequency, -2, false
	case powerFactor:
		return factor(watts, vars), -3, false
	}
	return power(c%20, watts, vars), 0, true
}

// power returns the power of a group C, in W, var or VA.
func power(c byte, watts, vars int64) int64 {
	switch c {
	case 1:
		return max(watts, 0)
	case 2:
		return max(-watts, 0)
	case 3:
		return max(vars, 0)
	case 4:
		return max(-vars, 0)
	case netPower:
		return watts
	case absolute:
		return max(watts, -watts)
	case apparentPlus, apparentMinus:
		if (watts < 0) != (c == apparentMinus) {
			return 0
		}
		return apparent(watts, vars)
	}
	if quadrant(watts, vars) != int(c)-quadrantOne {
		return 0
	}
	return max(vars, -vars)
}

func apparent(watts, vars int64) int64 { return squareRoot(watts*watts + vars*vars) }

// factor returns the power factor in thousandths, 1000 where there is no power.
func factor(watts, vars int64) int64 {
	va := apparent(watts, vars)
	if va == 0 {
		return 1000
	}
	return max(watts, -watts) * 1000 / va
}

// counted converts Ws to what a register has counted to, in 10^exp Wh: the part that is not full yet does not show.
func counted(ws int64, exp int8, ratio int64) int64 {
	per := 3600 * power10(exp) * ratio
	return ws/per*power10(-exp) + ws%per*power10(-exp)/per
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
