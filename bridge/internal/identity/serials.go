// Package identity finds out from the telegrams of a meter whether another meter is connected: by the serial numbers, and by the form of the
// telegrams.
package identity

// Serials tracks the serial numbers in the telegrams of a meter, to find out that the meter was replaced. The zero value has seen no telegram.
type Serials struct {
	current    string
	other      string // the number in the last telegrams, if it is not current
	otherCount int    // how many telegrams in a row had the number other; telegrams without a number are skipped
	previous   string // the number before current
}

const (
	// minSerialCount is how many telegrams in a row must have a different number before the meter counts as replaced.
	minSerialCount = 2
	// minReturnCount is how many telegrams in a row must have the previous number before the previous meter counts as used
	// again. It is high because the telegrams of two meters can alternate.
	minReturnCount = 100
)

// Update adds the serial number of a telegram, or "" if it has none. It reports whether the meter was replaced, and returns the number of the old
// meter. Serials stores the string.
func (s *Serials) Update(serial string) (old string, replaced bool) {
	switch {
	case serial == "":
		return "", false
	case s.current == "":
		s.current = serial
	case serial == s.current:
		s.other, s.otherCount = "", 0
	case serial != s.other:
		s.other, s.otherCount = serial, 1
	default:
		s.otherCount++
	}
	minCount := minSerialCount
	if s.other == s.previous {
		minCount = minReturnCount
	}
	if s.otherCount < minCount {
		return "", false
	}
	*s = Serials{current: serial, previous: s.current}
	return s.previous, true
}

// Current returns the serial number of the meter; "" if no telegram had one.
func (s *Serials) Current() string { return s.current }

// Restore continues with the number of an earlier run; "" if there was none.
func (s *Serials) Restore(current string) { *s = Serials{current: current} }
