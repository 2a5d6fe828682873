package simulate

import "time"

// A Household simulates a household with appliances, an electric car and solar cells, second by second. It also has gas, water and heat
// meters. It is not safe for concurrent use.
type Household struct {
	random randomSource
	phases int
	// now is the Unix time up to which energy is counted. localNow is now plus the offset of local time from UTC.
	now, localNow int64
	plan          dayPlan
	// state has the powers and counters of now, but no voltages and currents: see State.
	state State
}

// NewHousehold returns the household of a seed at the time start, which must be after 1970. phases is 1 or 3. With one phase, the solar
// cells and the car charger have a third of the power.
func NewHousehold(seed uint64, start time.Time, phases int) *Household {
	h := &Household{random: randomSource(seed), phases: min(max(phases, 1), 3)}
	h.now = start.Truncate(time.Hour).Unix()
	h.state.Energies = h.random.initialEnergies()
	h.state.Registers = h.random.initialRegisters(&h.state.Energies, h.now)
	h.setHour()
	h.readMediaMeters()
	h.setPowers()
	h.Advance(start)
	return h
}

// initialEnergies returns the counters of a household that has used its meter for some years.
func (c randomSource) initialEnergies() Energies {
	const kWh = 3_600_000 // in Ws
	return Energies{
		Import:         c.draw(drawCounter, 0, 9_000*kWh, 60_000*kWh),
		Export:         c.draw(drawCounter+1, 0, 1_000*kWh, 20_000*kWh),
		ImportReactive: c.draw(drawCounter+2, 0, 500*kWh, 5_000*kWh),
		ExportReactive: c.draw(drawCounter+3, 0, 500*kWh, 9_000*kWh),
	}
}

// Advance moves the household's time to t, rounded down to a whole second. If t is before the household's time, nothing changes. Advancing by
// one day takes a few milliseconds.
func (h *Household) Advance(t time.Time) {
	for end := t.Unix(); h.now < end; {
		h.advanceSecond()
	}
}

func (h *Household) advanceSecond() {
	h.now++
	h.localNow++
	h.setPowers()
	h.state.Tariff = tariffAt(h.localNow - 1) // the second that is counted began at now-1
	h.countSecond()
	if h.now%3600 == 0 {
		h.setHour()
	}
}

// setHour stores the counters at a whole hour. It also updates the offset of local time, which changes only at whole hours, and the tariff.
func (h *Household) setHour() {
	t := time.Unix(h.now, 0).UTC()
	h.localNow = h.now + 60*int64(centralEuropean.offset(t))
	h.state.Hour, h.state.HourEnergies, h.state.HourGas = t, h.state.Energies, h.state.Gas
	h.state.Tariff = tariffAt(h.localNow)
}

// State returns all values of the household at the time to which it was advanced.
func (h *Household) State() State {
	s := h.state
	s.Time = time.Unix(h.now, 0).UTC()
	s.Frequency = h.random.interpolate(drawFrequency, h.now, 40, 4995, 5005)
	for i := range h.phases {
		s.Voltage[i] = h.voltage(int64(i))
		s.Current[i] = phaseCurrent(s.Power[i], s.ReactivePower[i], s.Voltage[i])
	}
	return s
}

// voltage returns the voltage of a phase in 0.1 V. It varies around 231 V, and is 0.25 V lower for each ampere that the household draws.
func (h *Household) voltage(phase int64) int64 {
	const wattsPerDecivolt = 92 // 230 W (1 A) lower the voltage by 2.5 dV
	noLoad := h.random.interpolate(drawVoltage+phase, h.now, 180, 2295, 2325) + h.random.draw(drawVoltage+8+phase, h.now, -2, 2)
	return noLoad - h.state.Power[phase]/wattsPerDecivolt
}

// phaseCurrent returns a current in mA, with the sign of watts. voltage is in 0.1 V.
func phaseCurrent(watts, vars, voltage int64) int64 {
	apparent := squareRoot(1_000_000 * (watts*watts + vars*vars)) // in mVA
	if watts < 0 {
		apparent = -apparent
	}
	return apparent * 10 / voltage
}

// squareRoot returns the square root of n, rounded down.
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

// A randomSource is the seed of all random numbers of a household. A random number depends on the seed, a purpose and usually the time. It
// does not depend on earlier random numbers, so that time can advance in steps of any length.
type randomSource uint64

// Purposes of random numbers. The values are 16 apart, so that each purpose has 15 more values for related numbers.
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

// draw returns the n-th random number of a purpose, from lo to hi, both included.
func (c randomSource) draw(purpose, n, lo, hi int64) int64 {
	x := scramble(scramble(uint64(c)+uint64(purpose)) + uint64(n))
	return lo + int64(x>>1%uint64(hi-lo+1))
}

// interpolate returns a random number from lo to hi that changes gradually with the time now. It draws one number at the beginning of each
// period and interpolates linearly between these numbers. now and period are in seconds.
func (c randomSource) interpolate(purpose, now, period, lo, hi int64) int64 {
	n, rest := now/period, now%period
	a, b := c.draw(purpose, n, lo, hi), c.draw(purpose, n+1, lo, hi)
	return a + (b-a)*rest/period
}

// scramble returns a pseudo-random number for x: one step of SplitMix64.
func scramble(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
