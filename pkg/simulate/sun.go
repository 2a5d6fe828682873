package simulate

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
