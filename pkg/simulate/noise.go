package simulate

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

// smooth returns a number from lo to hi that wanders: drawn once in each period of so many seconds, in straight lines
// between.
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
