package simulate

import "time"

// A Meter is a household with a meter of a family: an endless row of telegrams, each with the time at which it is due. It
// is not safe for concurrent use.
type Meter struct {
	family    Family
	household *Household
	due       time.Time
	state     State
	telegram  []byte
}

// NewMeter returns the meter of the household that grows from the seed. Telegrams are due at multiples of the family's
// interval on the clock, the first one at start or next after it.
func NewMeter(f Family, seed uint64, start time.Time) *Meter {
	due := start.Truncate(f.Interval)
	if due.Before(start) {
		due = due.Add(f.Interval)
	}
	return &Meter{family: f, household: New(seed, due, f.Phases), due: due}
}

// Next returns the next telegram and when it is due. The bytes are valid until the following call.
func (m *Meter) Next() (at time.Time, telegram []byte) {
	at = m.due
	m.due = at.Add(m.family.Interval)
	m.household.Advance(at)
	m.state = m.household.State()
	m.telegram = m.family.Append(m.telegram[:0], &m.state)
	return at, m.telegram
}

// State returns what the meter showed in the telegram that Next returned last.
func (m *Meter) State() State { return m.state }
