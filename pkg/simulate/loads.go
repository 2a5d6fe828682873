package simulate

// A load is an appliance that runs during a part of the day.
type load struct {
	// from and to are the seconds of the local day at which the appliance starts and stops. A negative from means that the first period
	// began before midnight.
	from, to int64
	// phase is 0, 1 or 2, or allPhases.
	phase int
	// watts and vars are the powers that the appliance draws from each of its phases.
	watts, vars int64
	// period is how often a thermostat switches the appliance on, and on is for how long, both in seconds. If period is 0, the appliance is
	// on all the time.
	period, on int64
}

const allPhases = -1

// Durations in seconds.
const (
	minute  = 60
	hour    = 60 * minute
	fullDay = 24 * hour
)

// A dayPlan has the loads of one local day. number counts days since 1970.
type dayPlan struct {
	number int64
	loads  []load
}

// planDay returns the loads of a local day. Electronics are capacitive (negative var), motors inductive.
func (c randomSource) planDay(number int64) dayPlan {
	draw := func(purpose, lo, hi int64) int64 { return c.draw(drawDay+purpose, number, lo, hi) }
	wake := draw(0, 6*hour, 7*hour)
	dinner := draw(1, 17*hour, 18*hour+30*minute)
	bed := draw(2, 22*hour, 23*hour+30*minute)
	chargeStart := draw(3, 10*minute, 60*minute)
	chargeEnd := chargeStart + draw(4, 80*minute, 200*minute)
	heating := 950 - 700*seasonSine(number*fullDay)/sineScale // seconds in each 2400 s, more in winter
	return dayPlan{number, []load{
		// from, to, phase, watts, vars, period, on
		{0, fullDay, 0, 85, -35, 0, 0}, // electronics
		{0, fullDay, 1, 60, -20, 0, 0},
		{0, fullDay, 2, 110, -45, 0, 0},
		{-draw(8, 0, 2700), fullDay, 0, 95, 70, 2700, draw(5, 800, 1100)},     // fridge
		{-draw(9, 0, 3300), fullDay, 1, 110, 80, 3300, draw(6, 900, 1300)},    // freezer
		{-draw(10, 0, 2400), fullDay, allPhases, 650, 240, 2400, heating},     // heat pump
		{270 * minute, 270*minute + draw(7, 30, 60)*minute, 2, 3000, 0, 0, 0}, // water heater, after the car
		{wake, wake + 90*minute, 1, 320, -30, 0, 0},                           // lights in the morning
		{wake + 15*minute, wake + 19*minute, 1, 2000, 0, 0, 0},                // kettle
		{wake + 30*minute, wake + 55*minute, 2, 3000, 0, 0, 0},                // water heater, after the showers
		{dinner, dinner + 40*minute, 0, 1800, 0, 40, 26},                      // hob
		{dinner + 5*minute, dinner + 35*minute, 1, 1200, 0, 30, 17},           // hob
		{dinner + 2*minute, dinner + 55*minute, 2, 2300, 15, 180, 95},         // oven
		{dinner, bed, 1, 260, -40, 0, 0},                                      // lights and television
		{dinner + 90*minute, dinner + 110*minute, 0, 2050, 30, 0, 0},          // dishwasher
		{chargeStart, chargeEnd, allPhases, 3680, 60, 0, 0},                   // car: 11 kW on three phases
	}}
}

// setPowers sets the powers of the second that ends at h.now.
func (h *Household) setPowers() {
	if n := h.localNow / fullDay; n != h.plan.number {
		h.plan = h.random.planDay(n)
	}
	h.setStandby()
	second := h.localNow % fullDay
	for i := range h.plan.loads {
		l := &h.plan.loads[i]
		if second < l.from || second >= l.to || l.period > 0 && (second-l.from)%l.period >= l.on {
			continue
		}
		h.addPower(l.phase, l.watts, l.vars)
	}
	h.addSolar()
}

// setStandby sets the powers to a few watts that change every second. The power of each phase comes from eight random bits.
func (h *Household) setStandby() {
	bits := uint64(h.random.draw(drawLoad, h.now, 0, 1<<40))
	h.state.Power, h.state.ReactivePower = [3]int64{}, [3]int64{}
	for i := range h.phases {
		h.addPower(i, int64(bits&15), -int64(bits>>4&7))
		bits >>= 8
	}
}

// addSolar subtracts the power of the solar cells, which depends on the sun's height and on clouds. The inverter is slightly capacitive.
func (h *Household) addSolar() {
	const peak = 3000 // W of each phase
	height := sineOfSunHeight(h.now)
	if height <= 0 {
		return
	}
	clearSky := h.random.interpolate(drawCloud, h.now, 300, 400, 1000) // in thousandths
	watts := peak * height / sineScale * clearSky / 1000
	h.addPower(allPhases, -watts, -watts/40)
}

// addPower adds a power to a phase, or to each phase if phase is allPhases. A household of one phase has only L1: a load of L2 or L3 is added to
// L1, and a load of all phases is added to L1 once.
func (h *Household) addPower(phase int, watts, vars int64) {
	for i := range h.phases {
		if phase == allPhases || phase%h.phases == i {
			h.state.Power[i] += watts
			h.state.ReactivePower[i] += vars
		}
	}
}

// Units of integer trigonometry: an angle of 360° is fullTurn, a sine of 1 is sineScale.
const (
	fullTurn  = 1 << 16
	sineScale = 1 << 15
)

// quarterSine has the sines of 0° to 90° in 16 steps.
var quarterSine = [...]int64{
	0, 3212, 6393, 9512, 12540, 15447, 18205, 20788, 23170,
	25330, 27246, 28899, 30274, 31357, 32138, 32610, 32768,
}

// sine returns the sine of an angle, with an error below 1/800.
func sine(angle int64) int64 {
	angle &= fullTurn - 1
	switch {
	case angle >= fullTurn/2:
		return -sine(angle - fullTurn/2)
	case angle > fullTurn/4:
		angle = fullTurn/2 - angle
	}
	const step = fullTurn / 4 / 16
	i, rest := angle/step, angle%step
	if rest == 0 {
		return quarterSine[i]
	}
	return quarterSine[i] + (quarterSine[i+1]-quarterSine[i])*rest/step
}

func cosine(angle int64) int64 { return sine(angle + fullTurn/4) }

// Position of the household and orbit of the earth, for sunrise and sunset as in the middle of Sweden.
const (
	latitude  = 593 * fullTurn / 3600 // 59.3° north
	axialTilt = 234 * fullTurn / 3600 // 23.4°
	solarNoon = 38880                 // seconds of the UTC day at 18° east
	equinox   = 953537700             // 20 March 2000, as Unix time
	year      = 31556925              // seconds from one equinox to the next
)

// seasonSine returns the sine of the time of year: 0 at the equinox in March, 1 at midsummer, -1 in December.
func seasonSine(now int64) int64 { return sine((now - equinox) % year * fullTurn / year) }

// sineOfSunHeight returns the sine of the sun's angle above the horizon, negative at night.
func sineOfSunHeight(now int64) int64 {
	declination := axialTilt * seasonSine(now) / sineScale
	hourAngle := (now%fullDay - solarNoon) * fullTurn / fullDay
	return (sine(latitude)*sine(declination) + cosine(latitude)*cosine(declination)/sineScale*cosine(hourAngle)) / sineScale
}
