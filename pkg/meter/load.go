package meter

import "github.com/hanbridge/hanbridge/pkg/obis"

// A load is what one telegram says of power, voltage and current, as far as it is sent without scaler and unit. Index 0 is
// the meter as a whole, 1 to 3 are the phases.
type load struct {
	active, reactive [4]int64 // import less export, in W and var
	net              int64    // code 16.7.0, in W: for lists that send neither import nor export
	activeSent       [4]bool  // the active power was sent
	reactiveSent     bool     // that of index 0 was sent
	volts, amps      [4]int64 // as sent
	measured         [4]bool  // the current was sent
	failed           bool     // a number is larger than any meter's
}

// most is the largest number that is believed of a load: sums and products of such stay within an int64.
const most = 1_000_000_000

// add takes a number of a code C.7.0.
func (l *load) add(code obis.Code, value int64) {
	const (
		activeImport, activeExport, reactiveImport, reactiveExport = 1, 2, 3, 4
		ampere, volt, netActive                                    = 11, 12, 16
		instant, phases                                            = 7, 3
	)
	phase, kind := code[2]/20, code[2]%20
	if code[3] != instant || code[4] != 0 || phase > phases {
		return
	}
	if value > most || value < -most {
		l.failed = true
		return
	}
	if kind == activeExport || kind == reactiveExport {
		value = -value
	}
	switch kind {
	case activeImport, activeExport:
		l.active[phase] += value
		l.activeSent[phase] = true
	case reactiveImport, reactiveExport:
		l.reactive[phase] += value
		l.reactiveSent = l.reactiveSent || phase == 0
	case netActive:
		l.net = value
	case ampere:
		l.amps[phase], l.measured[phase] = max(value, -value), true
	case volt:
		l.volts[phase] = value
	}
}

// power returns the apparent power that must flow through the phases at least, in VA, to within 4 %: the sum over the phases
// where the telegram has the power of each that carries a current, else that of the meter as a whole, from which import on
// one phase and export on another are gone.
func (l *load) power() (least int64, ofPhases bool) {
	watts := l.active[0]
	if !l.activeSent[0] {
		watts = l.net
	}
	least = hypotenuse(watts, l.reactive[0])
	ofPhases = (l.activeSent[1] || l.amps[1] == 0) && (l.activeSent[2] || l.amps[2] == 0) && (l.activeSent[3] || l.amps[3] == 0)
	if l.activeSent[1] || l.activeSent[2] || l.activeSent[3] {
		least = max(least, hypotenuse(l.active[1], l.reactive[1])+hypotenuse(l.active[2], l.reactive[2])+hypotenuse(l.active[3], l.reactive[3]))
	}
	return least, ofPhases
}

// hypotenuse returns the root of a² + b², to within 4 %.
func hypotenuse(a, b int64) int64 {
	a, b = max(a, -a), max(b, -b)
	if a < b {
		a, b = b, a
	}
	return max(a, (123*a+51*b)/128)
}

// A flow is the sum over the phases of voltage times current, in VA times the power of ten that is to be found.
type flow struct {
	power    int64 // that it is compared with: see load.power
	ofPhases bool

	sum     int64
	largest int64 // of one phase
	carry   int   // how many phases carry a current
	// digit is what one in the last digit of each current is worth: of all phases, and of those that carry a current.
	digit, digitCarried int64
	amps                int64 // the largest current, as sent
}

// flow multiplies; exp is the exponent of the voltages. A phase whose voltage is not sent, or is 0 as in a grid of three wires, has the highest of the others, or
// else that of European grids.
func (l *load) flow(exp int8) (f flow) {
	const usualVolts = 230
	f.power, f.ofPhases = l.power()
	unit := power10(-exp)
	highest := max(l.volts[1], l.volts[2], l.volts[3])
	if highest <= 0 {
		highest = usualVolts * unit
	}
	for i := 1; i < len(l.amps); i++ {
		if !l.measured[i] {
			continue
		}
		u := l.volts[i]
		if u <= 0 {
			u = highest
		}
		if unit > 1 {
			u /= unit
		}
		f.digit += u
		if l.amps[i] == 0 {
			continue
		}
		f.carry++
		f.digitCarried += u
		f.sum += u * l.amps[i]
		f.largest = max(f.largest, u*l.amps[i])
		f.amps = max(f.amps, l.amps[i])
	}
	return f
}
