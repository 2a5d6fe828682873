package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Descriptor describes a quantity that a meter sends, as it is announced to hubs.
type Descriptor struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Decimals is the number of decimals of its values as they are published.
	Decimals uint8
	// Every is the time between two values, rounded to 1 min, 15 min, 1 h or 24 h.
	Every time.Duration
}

// descriptors holds the quantities that a meter sends, with the unit and decimals of their first value.
type descriptors struct {
	all            [maxQuantities]sentQuantity
	changed        bool         // the descriptors have changed since list was made
	list           []Descriptor // in the order of the table
	meterChangedAt time.Time    // when another meter was detected; zero if none was
}

// sentQuantity is a quantity that a meter sends. If set is false, the meter does not send it.
type sentQuantity struct {
	set  bool
	last Value // the newest value, with the unit and decimals of the first one
	cadence
}

// maxQuantities is larger than every quantity.ID.
const maxQuantities = 256

// value returns the Value of a sample, with as many decimals as the first value of its quantity. It allocates memory only for a text that has
// changed.
func (d *descriptors) value(s *quantity.Sample, now time.Time) Value {
	q := &d.all[s.ID]
	v := Value{ID: s.ID, UnitIndex: s.UnitIndex, Number: s.Value, Decimals: uint8(s.Decimals())}
	if q.set && q.last.UnitIndex == v.UnitIndex && !q.lastSeen.Before(d.meterChangedAt) {
		v.Decimals = q.last.Decimals
	}
	if v.Text = q.last.Text; v.Text != string(s.Text) {
		v.Text = string(s.Text)
	}
	lastInterval := q.roundedInterval()
	q.addValue(now)
	d.changed = d.changed || !q.set || q.last.UnitIndex != v.UnitIndex || q.last.Decimals != v.Decimals ||
		q.roundedInterval() != lastInterval
	q.set, q.last = true, v
	return v
}

// restore adds a quantity of an earlier run. The time since that run does not count as a gap between two values.
func (d *descriptors) restore(q Descriptor) {
	d.all[q.ID] = sentQuantity{
		set: true, last: Value{ID: q.ID, UnitIndex: q.UnitIndex, Decimals: q.Decimals}, cadence: cadence{every: q.Every},
	}
	d.changed = true
}

const (
	// expireAfter is after how long a quantity expires that the meter no longer sends. It is above two days, so that daily values do not expire.
	expireAfter = 50 * time.Hour
	// expireAfterMeterChange is after how long a quantity expires that only the replaced meter has sent. It is above one hour, so that the new
	// meter has sent its hourly list by then.
	expireAfterMeterChange = 70 * time.Minute
)

// expire removes the quantities that the meter no longer sends, and returns them. Since is when the meter's telegrams last began after a long
// pause: a quantity does not expire because of a time in which the meter sent nothing.
func (d *descriptors) expire(now, since time.Time) (expired []quantity.ID) {
	sending := now.Sub(since)
	for id := range d.all {
		q := &d.all[id]
		if !q.set {
			continue
		}
		missing := min(now.Sub(q.lastSeen), sending)
		onlyOldMeter := q.lastSeen.Before(d.meterChangedAt) && min(now.Sub(d.meterChangedAt), sending) >= expireAfterMeterChange
		if missing >= expireAfter || onlyOldMeter {
			expired = append(expired, quantity.ID(id))
			d.all[id], d.changed = sentQuantity{}, true
			continue
		}
		lastInterval := q.roundedInterval()
		q.addMissing(missing)
		d.changed = d.changed || q.roundedInterval() != lastInterval
	}
	return expired
}

// takeChanged returns the list if it has changed since the last call, otherwise nil. The list is not changed afterwards.
func (d *descriptors) takeChanged() []Descriptor {
	if !d.changed {
		return nil
	}
	d.changed = false
	d.list = make([]Descriptor, 0, len(d.list)+1) // the feeds may still use the old list
	for id := range d.all {
		if q := &d.all[id]; q.set {
			d.list = append(d.list, Descriptor{quantity.ID(id), q.last.UnitIndex, q.last.Decimals, q.roundedInterval()})
		}
	}
	return slices.Clip(d.list)
}

// cadence tracks how often a meter sends one quantity. Nordic meters send powers every few seconds and counters once an hour.
type cadence struct {
	every    time.Duration // the rounded interval; 0 until two gaps are known or an earlier run is restored
	lastGap  time.Duration // the last gap between two values, rounded; 0 before the second value
	lastSeen time.Time     // when the last value came; zero if none has come in this run
}

// minRoundedInterval is the first of roundedIntervals.
const minRoundedInterval = time.Minute

// roundedIntervals are the values of Descriptor.Every. There are only four, because a hub sets up a device again when its announcement changes.
var roundedIntervals = []time.Duration{minRoundedInterval, 15 * time.Minute, time.Hour, 24 * time.Hour}

// roundInterval returns the first of roundedIntervals that the gap exceeds by half at most.
func roundInterval(gap time.Duration) time.Duration {
	for _, c := range roundedIntervals[:len(roundedIntervals)-1] {
		if gap <= c+c/2 {
			return c
		}
	}
	return roundedIntervals[len(roundedIntervals)-1]
}

// addValue adds the time of a value. The interval becomes longer only after two long gaps in a row, so that one lost list changes nothing.
func (c *cadence) addValue(now time.Time) {
	if !c.lastSeen.IsZero() {
		gap := roundInterval(now.Sub(c.lastSeen))
		if c.lastGap != 0 {
			c.every = min(c.lastGap, gap)
		}
		c.lastGap = gap
	}
	c.lastSeen = now
}

// addMissing takes into account for how long the quantity has been missing while the meter sent telegrams.
func (c *cadence) addMissing(missing time.Duration) {
	if c.lastGap == 0 && c.every <= minRoundedInterval && missing > 10*minRoundedInterval {
		c.every = time.Hour // the quantity came once, most likely in an hourly list
	}
}

// roundedInterval returns the interval as Descriptor.Every has it. It is never 0.
func (c *cadence) roundedInterval() time.Duration { return max(c.every, minRoundedInterval) }
