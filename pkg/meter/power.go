package meter

import "github.com/hanbridge/hanbridge/pkg/obis"

// measurements are the power, voltage and current of one telegram that are sent without scaler and unit. Index 0 is the meter as a
// whole, 1 to 3 are the phases.
type measurements struct {
	active, reactive [4]int64 // import less export, in W and var
	netActive        int64    // code 16.7.0, in W: for lists that send neither import nor export
	activeSent       [4]bool  // the active power was sent
	reactiveSent     bool     // the reactive power of the meter as a whole was sent
	volts, amps      [4]int64 // as sent
	ampsSent         [4]bool  // the current was sent
	outOfRange       bool     // a number is larger than any meter sends
}

// maxMeasurement is the largest number that a meter sends for power, voltage or current: sums and products of such numbers fit an int64.
const maxMeasurement = 1_000_000_000

// add takes the value of a code C.7.0, and ignores other codes.
func (m *measurements) add(code obis.Code, value int64) {
	const (
		activeImport, activeExport, reactiveImport, reactiveExport = 1, 2, 3, 4
		current, voltage, netActive                                = 11, 12, 16
		instantaneous, phases                                      = 7, 3
	)
	phase, kind := code[2]/20, code[2]%20
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

// minApparentPower returns a lower limit of the apparent power of the phases, in VA, to within 4 %. If the telegram has the power of each
// phase that carries a current, the limit is the sum over the phases, and perPhase is true. Otherwise the limit is the power of the
// meter as a whole, in which import on one phase and export on another cancel.
func (m *measurements) minApparentPower() (power int64, perPhase bool) {
	watts := m.active[0]
	if !m.activeSent[0] {
		watts = m.netActive
	}
	power = hypotenuse(watts, m.reactive[0])
	perPhase = (m.activeSent[1] || m.amps[1] == 0) && (m.activeSent[2] || m.amps[2] == 0) && (m.activeSent[3] || m.amps[3] == 0)
	if m.activeSent[1] || m.activeSent[2] || m.activeSent[3] {
		power = max(power, hypotenuse(m.active[1], m.reactive[1])+hypotenuse(m.active[2], m.reactive[2])+hypotenuse(m.active[3], m.reactive[3]))
	}
	return power, perPhase
}

// hypotenuse returns the root of a² + b², to within 4 %.
func hypotenuse(a, b int64) int64 {
	a, b = max(a, -a), max(b, -b)
	if a < b {
		a, b = b, a
	}
	return max(a, (123*a+51*b)/128)
}

// voltAmps are the products of voltage and current of the phases. They are in VA times 10^e, where e is the unknown exponent of
// the currents.
type voltAmps struct {
	// power is the power in VA that the products are compared with. perPhase is true if it is a sum over the phases: see
	// measurements.minApparentPower.
	power    int64
	perPhase bool

	sum          int64 // over the phases
	largest      int64 // of one phase
	loadedPhases int   // number of phases whose current is not 0
	// oneDigit is the sum for currents of 1 in the last digit, over all phases that send a current. oneDigitCarried is the same over the
	// phases whose current is not 0.
	oneDigit, oneDigitCarried int64
	largestAmps               int64 // the largest current as sent, without its exponent
}

// voltAmps multiplies the voltages and currents of the phases. voltExp is the exponent of the voltages. A phase whose voltage is not
// sent, or is 0 as in a grid of three wires, takes the highest voltage of the others, or 230 V.
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
		v.oneDigitCarried += volts
		v.sum += volts * m.amps[i]
		v.largest = max(v.largest, volts*m.amps[i])
		v.largestAmps = max(v.largestAmps, m.amps[i])
	}
	return v
}
