package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Descriptor is a quantity that a meter sends, and how: what is announced of it.
type Descriptor struct {
	ID quantity.ID
	// UnitIndex is the index of the unit in the row's Units.
	UnitIndex uint8
	// Decimals is how many its numbers are written with.
	Decimals uint8
	// Every is how often the meter sends it, rounded up: 1 min, 15 min, 1 h or 24 h.
	Every time.Duration
}

// descriptors are the quantities that a meter sends, each as first seen: what is announced, and how numbers are written.
type descriptors struct {
	all     [maxQuantities]described
	changed bool         // since list was made
	list    []Descriptor // in the order of the table
	swapped time.Time
}

type described struct {
	set  bool
	last Value // the newest, whose unit and decimals are the first's
	cadence
}

// maxQuantities is above every quantity.ID.
const maxQuantities = 256

// value makes the Value of a sample, written as the meter's first was. It allocates only for a text that differs from the last.
func (d *descriptors) value(s *quantity.Sample, now time.Time) Value {
	q := &d.all[s.ID]
	v := Value{ID: s.ID, UnitIndex: s.UnitIndex, Number: s.Value, Decimals: uint8(s.Decimals())}
	if q.set && q.last.UnitIndex == v.UnitIndex && !q.came.Before(d.swapped) {
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

// remember begins with what an earlier run knew. The time since then is no gap of the meter's.
func (d *descriptors) remember(q Descriptor) {
	d.all[q.ID] = described{
		set: true, last: Value{ID: q.ID, UnitIndex: q.UnitIndex, Decimals: q.Decimals}, cadence: cadence{every: q.Every},
	}
	d.changed = true
}

const (
	// forgotten is after how long a quantity that a meter no longer sends is taken back: two days, so that daily values stay.
	forgotten = 50 * time.Hour
	// replaced is the same for what only the meter before it sent: any hourly list of the new one has come by then.
	replaced = 70 * time.Minute
)

// review looks, once in a while, at what a meter that has spoken since then does not send any more. It returns those that
// are sent no longer.
func (d *descriptors) review(now, since time.Time) (gone []quantity.ID) {
	spoken := now.Sub(since)
	for id := range d.all {
		q := &d.all[id]
		if !q.set {
			continue
		}
		silent := min(now.Sub(q.came), spoken)
		ofAnother := q.came.Before(d.swapped) && min(now.Sub(d.swapped), spoken) >= replaced
		if silent >= forgotten || ofAnother {
			gone = append(gone, quantity.ID(id))
			d.all[id], d.changed = described{}, true
			continue
		}
		class := q.class()
		q.missing(silent)
		d.changed = d.changed || q.class() != class
	}
	return gone
}

// taken returns the list where it has changed, nil where it has not. It belongs to d until it changes again.
func (d *descriptors) taken() []Descriptor {
	if !d.changed {
		return nil
	}
	d.changed = false
	d.list = make([]Descriptor, 0, len(d.list)+1) // the feeds may still read the old one
	for id := range d.all {
		if q := &d.all[id]; q.set {
			d.list = append(d.list, Descriptor{quantity.ID(id), q.last.UnitIndex, q.last.Decimals, q.class()})
		}
	}
	return slices.Clip(d.list)
}

// cadence is how often a meter sends one quantity: Nordic meters send powers every few seconds and counters once an hour.
type cadence struct {
	every time.Duration // its class; 0 before two gaps are known, or what an earlier run knew
	gap   time.Duration // the class of the last gap
	came  time.Time     // when it last came; zero where that was in an earlier run
}

// cadences are the classes: a gap is of the first that it does not go much beyond. There are few, since hubs set a device up
// again when its announcement changes.
var cadences = []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

func classOf(gap time.Duration) time.Duration {
	for _, c := range cadences[:len(cadences)-1] {
		if gap <= c+c/2 {
			return c
		}
	}
	return cadences[len(cadences)-1]
}

// seen notes that the quantity has come. Two gaps must agree before its class changes, so that a list that was missed once changes nothing.
func (c *cadence) seen(now time.Time) {
	if !c.came.IsZero() {
		gap := classOf(now.Sub(c.came))
		if c.gap != 0 {
			c.every = min(c.gap, gap)
		}
		c.gap = gap
	}
	c.came = now
}

// missing notes for how long it has not come though the meter speaks.
func (c *cadence) missing(silent time.Duration) {
	if c.gap == 0 && c.every <= cadences[0] && silent > 10*cadences[0] {
		c.every = time.Hour // it came once: most likely in an hourly list
	}
}

// class is never 0.
func (c *cadence) class() time.Duration { return max(c.every, cadences[0]) }
