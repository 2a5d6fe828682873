package simulate

import "github.com/hanbridge/hanbridge/pkg/obis"

// Values of group D of an OBIS code: the kind of a register (IEC 62056-61, table 5).
const (
	currentDemand     = 4
	maximumDemand     = 6
	instantaneous     = 7
	timeIntegral      = 8
	lastAverageDemand = 24
	sags              = 32
	swells            = 36
)

// Values of group C of an OBIS code for the sum of the phases. For L1, L2 and L3, 20, 40 and 60 are added. The values without a constant are 1 and
// 2 for active import and export, 3 and 4 for reactive import and export.
const (
	quadrantOne    = 5  // quadrants II to IV follow, up to 8
	apparentPlus   = 9  // import
	apparentMinus  = 10 // export
	groupCurrent   = 11 // so 31 is the current of L1
	groupVoltage   = 12
	powerFactor    = 13
	groupFrequency = 14 // not for a phase
	absolutePower  = 15
	netPower       = 16
)

// Value returns the value of the register with an OBIS code, in its base unit (Wh, varh, W, var, VA, V, A, Hz) and with full precision. It
// returns false if the household has no such register. Gas, water and heat are fields of Registers.
func (s *State) Value(code obis.Code) (obis.Decimal, bool) {
	if !hasRegister(code) {
		return obis.Decimal{}, false
	}
	if code[3] == timeIntegral {
		return s.scaledValue(code, 0, 1), true
	}
	v, exp, _ := s.measurement(code)
	return obis.Decimal{Coef: v, Exp: exp}, true
}

// hasRegister reports whether measurement or energy returns the register with a code.
func hasRegister(code obis.Code) bool {
	// c is group C without its phase. Phase 0 is the sum of the phases, tariff 0 is the sum of the tariffs.
	c, phase, tariff := code[2]%20, code[2]/20, code[4]
	switch code[3] {
	case currentDemand, lastAverageDemand:
		return phase == 0 && (c == 1 || c == 2)
	case maximumDemand:
		return code[2] == 1
	case sags, swells:
		return phase >= 1 && phase <= 3 && c == groupVoltage
	case timeIntegral:
		if c >= 1 && c <= 4 { // with up to four tariffs, or for each phase
			return phase == 0 && tariff <= 4 || phase <= 3 && tariff == 0
		}
		isQuadrant := c >= quadrantOne && c < apparentPlus
		return phase == 0 && tariff == 0 && (isQuadrant || c == absolutePower)
	case instantaneous:
		if phase == 0 {
			return c >= 1 && c <= netPower && c != groupCurrent && c != groupVoltage
		}
		return c >= 1 && c <= netPower && c != groupFrequency && phase <= 3
	}
	return false
}

// scaledValue returns the value of a register in units of 10^exp of its base unit. ratio is the ratio of the current transformers in front
// of the meter, or 1 if there are none.
func (s *State) scaledValue(code obis.Code, exp int8, ratio int64) obis.Decimal {
	if code[3] == timeIntegral {
		return obis.Decimal{Coef: energyInUnit(s.energy(code), exp, ratio), Exp: exp}
	}
	v, valueExp, divided := s.measurement(code)
	if !divided {
		ratio = 1
	}
	return obis.Decimal{Coef: divideRounded(v*power10(valueExp-exp), power10(exp-valueExp)*ratio), Exp: exp}
}

// energy returns the value of a counter, in Ws or var·s. Tariffs 3 and 4 are never in use, so their counters are 0.
func (s *State) energy(code obis.Code) int64 {
	e := &s.Energies
	c := code[2]
	switch tariff := int(code[4]); {
	case tariff > len(s.TariffEnergies):
		return 0
	case tariff > 0:
		e = &s.TariffEnergies[tariff-1]
	case c > 20:
		e, c = &s.PhaseEnergies[c/20-1], c%20
	}
	switch c {
	case absolutePower:
		return e.Import + e.Export
	case quadrantOne, quadrantOne + 1, quadrantOne + 2, quadrantOne + 3:
		return s.QuadrantEnergies[c-quadrantOne]
	}
	return [...]int64{e.Import, e.Export, e.ImportReactive, e.ExportReactive}[c-1]
}

// measurement returns the value of a register that is not a counter, as v × 10^exp in its base unit. divided reports whether current
// transformers divide the value.
func (s *State) measurement(code obis.Code) (v int64, exp int8, divided bool) {
	c := code[2]
	switch code[3] {
	case currentDemand:
		return s.QuarterEnergy[c-1] / (15 * minute), 0, true
	case lastAverageDemand:
		return s.LastQuarterPower[c-1], 0, true
	case maximumDemand:
		return s.Peaks[0].Watts, 0, true
	case sags:
		return s.Sags[c/20-1], 0, false
	case swells:
		return s.Swells[c/20-1], 0, false
	}
	watts, vars := s.Net()
	phase := int(c)/20 - 1 // -1 for the sum of the phases
	if phase >= 0 {
		watts, vars = s.Power[phase], s.ReactivePower[phase]
	}
	switch c % 20 {
	case groupCurrent:
		return s.Current[phase], -3, true
	case groupVoltage:
		return s.Voltage[phase], -1, false
	case groupFrequency:
		return s.Frequency, -2, false
	case powerFactor:
		return powerFactorOf(watts, vars), -3, false
	}
	return powerOf(c%20, watts, vars), 0, true
}

// powerOf returns the value of the power register whose group C is c, in W, var or VA. watts and vars are the power to show.
func powerOf(c byte, watts, vars int64) int64 {
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
	case absolutePower:
		return max(watts, -watts)
	case apparentPlus, apparentMinus:
		if exports := watts < 0; exports != (c == apparentMinus) {
			return 0
		}
		return apparent(watts, vars)
	}
	if quadrant(watts, vars) != int(c)-quadrantOne { // c is one of the four quadrants here
		return 0
	}
	return max(vars, -vars)
}

func apparent(watts, vars int64) int64 { return squareRoot(watts*watts + vars*vars) }

// powerFactorOf returns the power factor in thousandths, 1000 if there is no power.
func powerFactorOf(watts, vars int64) int64 {
	va := apparent(watts, vars)
	if va == 0 {
		return 1000
	}
	return max(watts, -watts) * 1000 / va
}

// energyInUnit converts Ws to units of 10^exp Wh, divided by ratio and rounded down as on a counter.
func energyInUnit(ws int64, exp int8, ratio int64) int64 {
	unit := 3600 * power10(exp) * ratio // Ws in 1 Wh, or in 10^exp Wh if exp is positive
	return ws/unit*power10(-exp) + ws%unit*power10(-exp)/unit
}

// power10 returns 10^n, or 1 if n is negative. So power10(n) / power10(-n) is 10^n for every n.
func power10(n int8) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// divideRounded returns v/by, rounded to the nearest number, halves away from zero.
func divideRounded(v, by int64) int64 {
	if v < 0 {
		return -divideRounded(-v, by)
	}
	return (v + by/2) / by
}
