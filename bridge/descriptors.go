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
	// Decimals is the number of decimals with which its numbers are written.
	Decimals uint8
	// Every is the time between two values, rounded up to 1 min, 15 min, 1 h or 24 h.
	Every time.Duration
}

// descriptors holds the quantities that a meter sends, with the unit and decimals of their first value.
type descriptors struct {
	all            [maxQuantities]sentQuantity
	changed        bool         // the quantities have changed since list was made
	list           []Descriptor // in the order of the table
	meterChangedAt time.Time    // when another meter was detected; zero if none was
}

// sentQuantity is a quantity that a meter sends, if set is true.
type sentQuantity struct {
	set  bool
	last Value // the newest value, with the unit and decimals of the first one
	cadence
}

// maxQuantities is larger than every quantity.ID.
const maxQuantities = 256

// value returns the Value of a sample, with the decimals of the meter's first value. It allocates memory only for a text that has changed.
func (d *descriptors) value(s *quantity.Sample, now time.Time) Value {
	q := &d.all[s.ID]
	v := Value{ID: s.ID, UnitIndex: s.UnitIndex, Number: s.Value, Decimals: uint8(s.Decimals())}
	if q.set && q.last.UnitIndex == v.UnitIndex && !q.lastSeen.Before(d.meterChangedAt) {
		v.Decimals = q.last.Decimals
	}
	if v.Text = q.last.Text; v.Text != string(s.Text) {
		v.Text = string(s.Text)
	}
	class := q.class()
	q.seen(now)
	d.changed = d.changed || !q.set || q.last.UnitIndex != v.UnitIndex || q.last.Decimals != v.Decimals || q.class() != class
	q.set, q.last = true, v
	return v
}

// restore adds a quantity of an earlier run. The time since then does not count as a gap between two values.
func (d *descriptors) restore(q Descriptor) {
	d.all[q.ID] = sentQuantity{
		set: true, last: Value{ID: q.ID, UnitIndex: q.UnitIndex, Decimals: q.Decimals}, cadence: cadence{every: q.Every},
	}
	d.changed = true
}

const (
	// expireAfter is how long a quantity is kept that the meter no longer sends. It is above two days, so that daily values stay.
	expireAfter = 50 * time.Hour
	// expireAfterMeterChange is how long a quantity is kept that only the replaced meter has sent. It is above one hour, so that an hourly list of
	// the new meter comes in that time.
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
		ofOldMeter := q.lastSeen.Before(d.meterChangedAt) && min(now.Sub(d.meterChangedAt), sending) >= expireAfterMeterChange
		if missing >= expireAfter || ofOldMeter {
			expired = append(expired, quantity.ID(id))
			d.all[id], d.changed = sentQuantity{}, true
			continue
		}
		class := q.class()
		q.notSeen(missing)
		d.changed = d.changed || q.class() != class
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
			d.list = append(d.list, Descriptor{quantity.ID(id), q.last.UnitIndex, q.last.Decimals, q.class()})
		}
	}
	return slices.Clip(d.list)
}

// cadence tracks how often a meter sends one quantity. Nordic meters send powers every few seconds and counters once an hour.
type cadence struct {
	every    time.Duration // the class of the quantity; 0 until two gaps are known or an earlier run is restored
	gap      time.Duration // the class of the last gap
	lastSeen time.Time     // when it last came; zero if not in this run
}

// cadenceClasses are the classes of gaps. A gap belongs to the first class that it exceeds by half at most. There are only four, since a hub sets
// up a device again when its announcement changes.
var cadenceClasses = []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

func classOf(gap time.Duration) time.Duration {
	for _, c := range cadenceClasses[:len(cadenceClasses)-1] {
		if gap <= c+c/2 {
			return c
		}
	}
	return cadenceClasses[len(cadenceClasses)-1]
}

// seen adds the time of a value. Two gaps in a row must be long before the class becomes longer, so that one lost list changes nothing.
func (c *cadence) seen(now time.Time) {
	if !c.lastSeen.IsZero() {
		gap := classOf(now.Sub(c.lastSeen))
		if c.gap != 0 {
			c.every = min(c.gap, gap)
		}
		c.gap = gap
	}
	c.lastSeen = now
}

// notSeen takes into account for how long the quantity has been missing while the meter sent telegrams.
func (c *cadence) notSeen(missing time.Duration) {
	if c.gap == 0 && c.every <= cadenceClasses[0] && missing > 10*cadenceClasses[0] {
		c.every = time.Hour // it came once, so most likely in an hourly list
	}
}

// class returns the class of the quantity, which is never 0.
func (c *cadence) class() time.Duration { return max(c.every, cadenceClasses[0]) }
