package simulate

import (
	"time"
)

// A Household draws power and produces it, second by second. It is not safe for concurrent use.
type Household struct {
	chance chance
	phases int
	// now is the second that has been counted last, as Unix time, and local the same on the clock on the wall.
	now, local int64
	day        day
	// state holds the powers of the last second; voltages and currents are worked out when somebody looks.
	state State
}

// NewHousehold returns the household that grows from the seed, as it is at start, which is after 1970. It has one phase or three;
// with one it has a smaller roof of solar cells and a slower charger.
func NewHousehold(seed uint64, start time.Time, phases int) *Household {
	h := &Household{chance: chance(seed), phases: min(max(phases, 1), 3)}
	h.now = start.Truncate(time.Hour).Unix()
	h.state.Energies = h.chance.firstEnergies()
	h.state.Registers = h.chance.firstRegisters(&h.state.Energies, h.now)
	h.setHour()
	h.setFive()
	h.loads()
	h.Advance(start)
	return h
}

// firstEnergies are those of a house in which people have lived for some years.
func (c chance) firstEnergies() Energies {
	const kWh = 3_600_000 // in Ws
	return Energies{
		Import:         c.draw(drawCounter, 0, 9_000*kWh, 60_000*kWh),
		Export:         c.draw(drawCounter+1, 0, 1_000*kWh, 20_000*kWh),
		ImportReactive: c.draw(drawCounter+2, 0, 500*kWh, 5_000*kWh),
		ExportReactive: c.draw(drawCounter+3, 0, 500*kWh, 9_000*kWh),
	}
}

// Advance goes on to a time, to the whole second. A time that has passed changes nothing. A day takes some ms.
func (h *Household) Advance(to time.Time) {
	for end := to.Unix(); h.now < end; {
		h.step()
	}
}

func (h *Household) step() {
	h.now++
	h.local++
	h.loads()
	h.state.Tariff = tariff(h.local - 1)
	h.count()
	if h.now%3600 == 0 {
		h.setHour()
	}
}

// setHour does what is due at a whole hour, when clocks may be changed too.
func (h *Household) setHour() {
	t := time.Unix(h.now, 0).UTC()
	h.local = h.now + 60*int64(centralEuropean.offset(t))
	h.state.Hour, h.state.HourEnergies, h.state.HourGas = t, h.state.Energies, h.state.Gas
	h.state.Tariff = tariff(h.local)
}

// State returns what a meter of this household shows.
func (h *Household) State() State {
	s := h.state
	s.Time = time.Unix(h.now, 0).UTC()
	s.Frequency = h.chance.smooth(drawFrequency, h.now, 40, 4995, 5005)
	for i := range h.phases {
		s.Voltage[i] = h.voltage(int64(i))
		s.Current[i] = current(s.Power[i], s.ReactivePower[i], s.Voltage[i])
	}
	return s
}

// voltage wanders around 231 V, and falls by a quarter of a volt for each ampere that flows towards the house.
func (h *Household) voltage(phase int64) int64 {
	const wattsPerStep = 92 // 0.1 V
	noLoad := h.chance.smooth(drawVoltage+phase, h.now, 180, 2295, 2325) + h.chance.draw(drawVoltage+8+phase, h.now, -2, 2)
	return noLoad - h.state.Power[phase]/wattsPerStep
}

// current returns mA from W, var and 0.1 V, with the sign of the power.
func current(watts, vars, voltage int64) int64 {
	apparent := squareRoot(1_000_000 * (watts*watts + vars*vars)) // in mVA
	if watts < 0 {
		apparent = -apparent
	}
	return apparent * 10 / voltage
}

func squareRoot(n int64) int64 {
	if n < 2 {
		return n
	}
	x := n
	for y := (n + 1) / 2; y < x; y = (x + n/x) / 2 {
		x = y
	}
	return x
}

// A chance is the seed from which all that is random in a household comes. What it draws depends on what is drawn and for
// when, never on what was drawn before, so that time may be advanced in any steps.
type chance uint64

// What is drawn.
const (
	drawCounter = 16 * iota
	drawDay
	drawLoad
	drawCloud
	drawVoltage
	drawMedia
	drawFrequency
	drawFault
)

// draw returns a number from lo to hi, both included.
func (c chance) draw(what, n, lo, hi int64) int64 {
	x := mix(mix(uint64(c)+uint64(what)) + uint64(n))
	return lo + int64(x>>1%uint64(hi-lo+1))
}

// smooth returns a number from lo to hi that wanders in straight lines: one is drawn for each period, in seconds.
func (c chance) smooth(what, now, period, lo, hi int64) int64 {
	n, rest := now/period, now%period
	a, b := c.draw(what, n, lo, hi), c.draw(what, n+1, lo, hi)
	return a + (b-a)*rest/period
}

// mix scatters the bits of x: one step of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
