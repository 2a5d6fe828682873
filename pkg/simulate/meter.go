package simulate

import "time"

// A Meter is a meter of a family in a household. It sends an endless sequence of telegrams. It is not safe for concurrent use.
type Meter struct {
	family    Family
	household *Household
	due       time.Time // of the next telegram
	state     State     // shown by the last telegram
	telegram  []byte
	wrongKey  bool // see State.wrongKey
}

// NewMeter returns a meter of family f in the household of a seed. start must be after 1970. Telegrams are due at multiples of f.Interval,
// as time.Time.Truncate defines them. No telegram is due before start. A family with an HourlyOffset sends an additional telegram each hour.
func NewMeter(f Family, seed uint64, start time.Time) *Meter {
	due := f.nextDue(start.Add(-1)) // so that a telegram can be due at start itself
	return &Meter{family: f, household: NewHousehold(seed, due, f.Phases), due: due}
}

// Next returns the next telegram and the time at which it is due. It does not wait for that time. The bytes are valid until the next call
// of Next.
func (m *Meter) Next() (at time.Time, telegram []byte) {
	at = m.due
	m.due = m.family.nextDue(at)
	m.household.Advance(at)
	m.state = m.household.State()
	m.state.wrongKey = m.wrongKey
	m.telegram = m.family.Append(m.telegram[:0], &m.state)
	return at, m.telegram
}

// State returns the state of the household at the last telegram that Next returned. The values are not divided by Family.Ratio and not
// multiplied by Family.Households.
func (m *Meter) State() State { return m.state }

// switchFamily turns the meter into a meter of family f, as after a remote firmware update. The household stays the same.
func (m *Meter) switchFamily(f Family) {
	m.family = f
	m.due = f.nextDue(m.due.Add(-1))
}

// nextDue returns when the first telegram after t is due.
func (f Family) nextDue(t time.Time) time.Time {
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
