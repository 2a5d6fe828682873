// Package throttle decides how often each quantity of a meter is published, so that people see what happens and nobody's database
// is flooded. A Plan says how often, the same for all meters; a Throttle follows one meter and decides telegram by telegram.
//
// A change that reaches the deadband is published at once, but not sooner than MinInterval after the last; a smaller one is
// withheld until MaxSilence is over. On top of that:
//
//   - What is published holds until the next, so that withholding moves the mean that a hub works out. A Throttle keeps account of
//     it, and a small change that makes up for what was withheld waits only half as long. So the mean of a day
//     comes out right, also that of a net power that nearly cancels out, which no deadband alone could do.
//   - A power that changes its sign (net power) is published whatever the size of the change.
//   - A counter is published with the last telegram before each full hour and the first behind it: statistics by the hour are
//     exact, and at the end of a day nothing is missing.
//   - What was published last is repeated every few minutes, so that nobody takes it for forgotten.
package throttle

import "time"

// A Decision is what to do with a value.
type Decision uint8

const (
	// Withhold a value that is not worth publishing.
	Withhold Decision = iota
	// Publish this value.
	Publish
	// Repeat what was published last, as the same string: a database of changes gets no row from it.
	Repeat
)

// String returns the decision's name.
func (d Decision) String() string { return [...]string{"withhold", "publish", "repeat"}[d] }

// RepeatAfter is how long after it was published a value is repeated at the latest, as long as telegrams come.
const RepeatAfter = 5 * time.Minute
