package simulate

import "time"

// A Meter is a household with a meter of a family, and its telegrams without end. It is not safe for concurrent use.
type Meter struct {
	family    Family
	household *Household
	due       time.Time
	state     State
	telegram  []byte
	wrongKey  bool
}

// NewMeter returns the meter of the household that grows from the seed. Telegrams are due at multiples of the family's
// interval on the clock, the first one at start or next after it, and where it says so once an hour besides.
func NewMeter(f Family, seed uint64, start time.Time) *Meter {
	due := f.after(start.Add(-1))
	return &Meter{family: f, household: NewHousehold(seed, due, f.Phases), due: due}
}

// Next returns the next telegram and when it is due. The bytes are valid until the following call.
func (m *Meter) Next() (at time.Time, telegram []byte) {
	at = m.due
	m.due = m.family.after(at)
	m.household.Advance(at)
	m.state = m.household.State()
	m.state.wrongKey = m.wrongKey
	m.telegram = m.family.Append(m.telegram[:0], &m.state)
	return at, m.telegram
}

// State returns what the meter showed in the telegram that Next returned last.
func (m *Meter) State() State { return m.state }

// become makes the meter one of another family, as grid companies do from afar. It keeps the household and its phases.
func (m *Meter) become(f Family) {
	m.family = f
	m.due = f.after(m.due.Add(-1))
}

// after returns when the first telegram behind t is due.
func (f Family) after(t time.Time) time.Time {
	due := t.Truncate(f.Interval).Add(f.Interval)
	if f.HourlyOffset == 0 {
		return due
	}
	hourly := t.Truncate(time.Hour).Add(f.HourlyOffset)
	if !hourly.After(t) {
		hourly = hourly.Add(time.Hour)
	}
	if hourly.Before(due) {
		return hourly
	}
	return due
}
