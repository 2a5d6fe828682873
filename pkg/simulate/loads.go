package simulate

// A use is an appliance that runs for a part of a day.
type use struct {
	// from and to are seconds of the local day. A negative one shifts the periods of what runs all day.
	from, to int64
	// phase is 0, 1 or 2, or every.
	phase int
	// watts and vars are what it draws, of each phase.
	watts, vars int64
	// A thermostat has it on for so many seconds of each period. No period: on all the time.
	period, on int64
}

const every = -1

const (
	minute = 60
	hour   = 60 * minute
	whole  = 24 * hour
)

// A day is a local day's plan.
type day struct {
	number int64
	uses   []use
}

// plan decides what people and appliances do on a local day. Electronics are capacitive (negative var), motors inductive.
func (c chance) plan(number int64) day {
	within := func(what, lo, hi int64) int64 { return c.draw(drawDay+what, number, lo, hi) }
	wake := within(0, 6*hour, 7*hour)
	dinner := within(1, 17*hour, 18*hour+30*minute)
	bed := within(2, 22*hour, 23*hour+30*minute)
	charge := within(3, 10*minute, 60*minute)
	charged := charge + within(4, 80*minute, 200*minute)
	heating := 950 - 700*season(number*whole)/one // of 2400 s, the more the colder
	return day{number, []use{
		{0, whole, 0, 85, -35, 0, 0},
		{0, whole, 1, 60, -20, 0, 0},
		{0, whole, 2, 110, -45, 0, 0},
		{-within(8, 0, 2700), whole, 0, 95, 70, 2700, within(5, 800, 1100)},     // fridge
		{-within(9, 0, 3300), whole, 1, 110, 80, 3300, within(6, 900, 1300)},    // freezer
		{-within(10, 0, 2400), whole, every, 650, 240, 2400, heating},           // heat pump
		{270 * minute, 270*minute + within(7, 30, 60)*minute, 2, 3000, 0, 0, 0}, // water heater, when the car is done
		{wake, wake + 90*minute, 1, 320, -30, 0, 0},                             // lights in the morning
		{wake + 15*minute, wake + 19*minute, 1, 2000, 0, 0, 0},                  // kettle
		{wake + 30*minute, wake + 55*minute, 2, 3000, 0, 0, 0},                  // water heater, after the showers
		{dinner, dinner + 40*minute, 0, 1800, 0, 40, 26},                        // hob
		{dinner + 5*minute, dinner + 35*minute, 1, 1200, 0, 30, 17},             // hob
		{dinner + 2*minute, dinner + 55*minute, 2, 2300, 15, 180, 95},           // oven
		{dinner, bed, 1, 260, -40, 0, 0},                                        // lights and television
		{dinner + 90*minute, dinner + 110*minute, 0, 2050, 30, 0, 0},            // dishwasher
		{charge, charged, every, 3680, 60, 0, 0},                                // car: 11 kW on three phases
	}}
}

// loads sets the powers of this second.
func (h *Household) loads() {
	if n := h.local / whole; n != h.day.number {
		h.day = h.chance.plan(n)
	}
	h.standby()
	second := h.local % whole
	for i := range h.day.uses {
		u := &h.day.uses[i]
		if second < u.from || second >= u.to || u.period > 0 && (second-u.from)%u.period >= u.on {
			continue
		}
		h.draw(u.phase, u.watts, u.vars)
	}
	h.solar()
}

// standby sets what is never quiet: some watts that change each second.
func (h *Household) standby() {
	bits := uint64(h.chance.draw(drawLoad, h.now, 0, 1<<40))
	h.state.Power, h.state.ReactivePower = [3]int64{}, [3]int64{}
	for i := range h.phases {
		h.draw(i, int64(bits&15), -int64(bits>>4&7))
		bits >>= 8
	}
}

// solar takes away what the sun gives, more behind fewer clouds. The inverter leads a little.
func (h *Household) solar() {
	const peak = 3000 // W of each phase
	height := sunHeight(h.now)
	if height <= 0 {
		return
	}
	watts := peak * height / one * h.chance.smooth(drawCloud, h.now, 300, 400, 1000) / 1000
	h.draw(every, -watts, -watts/40)
}

func (h *Household) draw(phase int, watts, vars int64) {
	for i := range h.phases {
		if phase == every || phase%h.phases == i {
			h.state.Power[i] += watts
			h.state.ReactivePower[i] += vars
		}
	}
}

// Angles are fractions of a turn, sines are fractions of one.
const (
	turn = 1 << 16
	one  = 1 << 15
)

// quarter is the sine of a quarter of a turn in 16 steps.
var quarter = [...]int64{
	0, 3212, 6393, 9512, 12540, 15447, 18205, 20788, 23170,
	25330, 27246, 28899, 30274, 31357, 32138, 32610, 32768,
}

// sine is exact to one part in 800.
func sine(angle int64) int64 {
	angle &= turn - 1
	switch {
	case angle >= turn/2:
		return -sine(angle - turn/2)
	case angle > turn/4:
		angle = turn/2 - angle
	}
	const step = turn / 4 / 16
	i, rest := angle/step, angle%step
	if rest == 0 {
		return quarter[i]
	}
	return quarter[i] + (quarter[i+1]-quarter[i])*rest/step
}

func cosine(angle int64) int64 { return sine(angle + turn/4) }

// Where the household stands and how the earth goes round, for a sun that rises and sets as in the middle of Sweden.
const (
	latitude = 593 * turn / 3600 // 59.3° north
	tilt     = 234 * turn / 3600 // of the earth's axis, 23.4°
	noon     = 38880             // seconds of the UTC day at 18° east
	equinox  = 953537700         // 20 March 2000, as Unix time
	year     = 31556925          // seconds from one equinox to the next
)

// season is the sine of the time of year: 0 at the equinox in March, one at midsummer, minus one in December.
func season(now int64) int64 { return sine((now - equinox) % year * turn / year) }

// sunHeight is the sine of the sun's height above the horizon, negative at night.
func sunHeight(now int64) int64 {
	declination := tilt * season(now) / one
	hour := (now%86400 - noon) * turn / 86400
	return (sine(latitude)*sine(declination) + cosine(latitude)*cosine(declination)/one*cosine(hour)) / one
}
