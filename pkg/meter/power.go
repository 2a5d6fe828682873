package meter

import "github.com/hanbridge/hanbridge/pkg/obis"

// measurements are the powers, voltages and currents of one telegram that were sent without scaler and unit. Index 0 is the total of all
// phases, 1 to 3 are the phases.
type measurements struct {
	active, reactive [4]int64 // import minus export, in W and var
	netActive        int64    // net power (code 16.7.0) in W, for lists without import and export
	activeSent       [4]bool  // the active power was sent
	reactiveSent     bool     // the total reactive power was sent
	volts, amps      [4]int64 // voltages and currents as sent
	ampsSent         [4]bool  // the current was sent
	outOfRange       bool     // a number is larger than maxMeasurement, or less than -maxMeasurement
}

// maxMeasurement is more than any power, voltage or current that a meter sends. Sums and products of smaller numbers do not overflow an int64.
const maxMeasurement = 1_000_000_000

// add sets the measurement of a code C.7.0. It ignores other codes.
func (m *measurements) add(code obis.Code, value int64) {
	const (
		activeImport, activeExport, reactiveImport, reactiveExport = 1, 2, 3, 4
		current, voltage, netActive                                = 11, 12, 16
		instantaneous, phases                                      = 7, 3
	)
	phase, kind := code[2]/20, code[2]%20 // group C is the kind for the total, and the kind plus 20, 40 or 60 for a phase
	if code[3] != instantaneous || code[4] != 0 || phase > phases {
		return
	}
	if value > maxMeasurement || value < -maxMeasurement {
		m.outOfRange = true
		return
	}
	if kind == activeExport || kind == reactiveExport {
		value = -value
	}
	switch kind {
	case activeImport, activeExport:
		m.active[phase] += value
		m.activeSent[phase] = true
	case reactiveImport, reactiveExport:
		m.reactive[phase] += value
		m.reactiveSent = m.reactiveSent || phase == 0
	case netActive:
		m.netActive = value
	case current:
		m.amps[phase], m.ampsSent[phase] = max(value, -value), true
	case voltage:
		m.volts[phase] = value
	}
}

// minApparentPower returns a lower limit of the apparent power of all phases, in VA, to within 4 %. The limit is the total power, in which import on
// one phase and export on another cancel. If the telegram has powers of phases, and their sum is larger, the limit is this sum. perPhase is true
// if the telegram has the power of each phase that carries a current.
func (m *measurements) minApparentPower() (power int64, perPhase bool) {
	watts := m.active[0]
	if !m.activeSent[0] {
		watts = m.netActive
	}
	power = hypotenuse(watts, m.reactive[0])
	perPhase = true
	anyPhase, sum := false, int64(0)
	for i := 1; i < len(m.active); i++ {
		perPhase = perPhase && (m.activeSent[i] || m.amps[i] == 0)
		anyPhase = anyPhase || m.activeSent[i]
		sum += hypotenuse(m.active[i], m.reactive[i])
	}
	if anyPhase {
		power = max(power, sum)
	}
	return power, perPhase
}

// hypotenuse returns the square root of a² + b², to within 4 %.
func hypotenuse(a, b int64) int64 {
	a, b = max(a, -a), max(b, -b)
	if a < b {
		a, b = b, a
	}
	return max(a, (123*a+51*b)/128)
}

// voltAmps are the products of voltage and current of the phases, in VA, with the currents as sent, without their exponent.
type voltAmps struct {
	// power is the power in VA with which the products are compared. See measurements.minApparentPower for power and perPhase.
	power    int64
	perPhase bool

	sum          int64 // sum of the products of all phases
	largest      int64 // the largest product of a phase
	loadedPhases int   // number of phases whose current is not 0
	// oneDigit is the sum of the products with a current of 1, as sent, in each phase. It is the largest rounding error of sum. oneDigitLoaded is the
	// same sum over the loaded phases only.
	oneDigit, oneDigitLoaded int64
	largestAmps              int64 // the largest current as sent, without its exponent
}

// voltAmps multiplies the voltages and currents of the phases. voltExp is the exponent of the voltages. If the voltage of a phase is 0, as in a
// grid of three wires, or was not sent, voltAmps uses the highest voltage of the other phases. If there is none, it uses 230 V.
func (m *measurements) voltAmps(voltExp int8) (v voltAmps) {
	const usualVolts = 230
	v.power, v.perPhase = m.minApparentPower()
	unit := powerOfTen(-voltExp)
	highest := max(m.volts[1], m.volts[2], m.volts[3])
	if highest <= 0 {
		highest = usualVolts * unit
	}
	for i := 1; i < len(m.amps); i++ {
		if !m.ampsSent[i] {
			continue
		}
		volts := m.volts[i]
		if volts <= 0 {
			volts = highest
		}
		if unit > 1 {
			volts /= unit
		}
		v.oneDigit += volts
		if m.amps[i] == 0 {
			continue
		}
		v.loadedPhases++
		v.oneDigitLoaded += volts
		v.sum += volts * m.amps[i]
		v.largest = max(v.largest, volts*m.amps[i])
		v.largestAmps = max(v.largestAmps, m.amps[i])
	}
	return v
}
