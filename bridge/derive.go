package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A deriver is the last step of the chain. It makes the values that are published, always with the same decimals, and finds out which quantities
// the meter sends, and how often.
type deriver struct {
	sent         []sentQuantity // in the order of the table
	changed      bool           // the descriptors have changed since they were last returned
	replacedAt   time.Time      // when another meter was detected; zero if none was
	lastReceived time.Time      // when the last telegram arrived
	sendingSince time.Time      // since when telegrams have arrived without a pause longer than probe.LongestInterval
	lastExpiry   time.Time      // when quantities were last checked for expiry
}

// derived is what the step returns for one telegram.
type derived struct {
	values []Value
	// descriptors are all quantities that the meter sends; nil if they have not changed.
	descriptors []Descriptor
	// expired are the quantities that the meter no longer sends.
	expired []quantity.ID
}

// sentQuantity is a quantity that the meter sends.
type sentQuantity struct {
	Value // the newest value, with the unit and decimals of the first one
	cadence
}

// derive makes the values of a telegram. The Values own their texts. NewMeter is true if another meter has sent the telegram than before.
func (d *deriver) derive(samples []quantity.Sample, received time.Time, newMeter bool) (out derived) {
	if received.Sub(d.lastReceived) > probe.LongestInterval {
		d.sendingSince = received
	}
	d.lastReceived = received
	if newMeter {
		d.replacedAt = received
	}
	out.values = make([]Value, 0, len(samples))
	for i := range samples {
		out.values = append(out.values, d.value(&samples[i], received))
	}
	if received.Sub(d.lastExpiry) >= time.Minute {
		d.lastExpiry = received
		out.expired = d.expire(received)
	}
	out.descriptors = d.takeChanged()
	return out
}

// value returns the Value of a sample, with as many decimals as the first value of its quantity. It allocates memory only for a text that has
// changed, and for the first value of a quantity.
func (d *deriver) value(s *quantity.Sample, received time.Time) Value {
	v := Value{ID: s.ID, UnitIndex: s.UnitIndex, Number: s.Value, Decimals: uint8(s.Decimals())}
	i, known := d.find(s.ID)
	if !known {
		v.Text = string(s.Text)
		d.sent = slices.Insert(d.sent, i, sentQuantity{Value: v})
		d.sent[i].addValue(received)
		d.changed = true
		return v
	}
	q := &d.sent[i]
	if q.UnitIndex == v.UnitIndex && !q.lastSeen.Before(d.replacedAt) {
		v.Decimals = q.Decimals
	}
	if v.Text = q.Text; v.Text != string(s.Text) {
		v.Text = string(s.Text)
	}
	lastInterval := q.roundedInterval()
	q.addValue(received)
	d.changed = d.changed || q.UnitIndex != v.UnitIndex || q.Decimals != v.Decimals || q.roundedInterval() != lastInterval
	q.Value = v
	return v
}

// find returns the index of a quantity in sent, and whether the meter sends it. If not, the index is where the quantity would be inserted.
func (d *deriver) find(id quantity.ID) (int, bool) {
	return slices.BinarySearchFunc(d.sent, id, func(q sentQuantity, id quantity.ID) int { return int(q.ID) - int(id) })
}

// restore continues with the quantities of an earlier run. The time since that run does not count as a gap between two values.
func (d *deriver) restore(descriptors []Descriptor) {
	for _, q := range descriptors {
		i, known := d.find(q.ID)
		if known {
			continue
		}
		v := Value{ID: q.ID, UnitIndex: q.UnitIndex, Decimals: q.Decimals}
		d.sent = slices.Insert(d.sent, i, sentQuantity{Value: v, cadence: cadence{every: q.Every}})
		d.changed = true
	}
}

const (
	// expireAfter is after how long a quantity expires that the meter no longer sends. It is above two days, so that daily values do not expire.
	expireAfter = 50 * time.Hour
	// expireAfterMeterChange is after how long a quantity expires that only the replaced meter has sent. It is above one hour, so that the new
	// meter has sent its hourly list by then.
	expireAfterMeterChange = 70 * time.Minute
)

// expire removes the quantities that the meter no longer sends, and returns them. A quantity does not expire because of a time in which the meter
// sent nothing.
func (d *deriver) expire(now time.Time) (expired []quantity.ID) {
	sending := now.Sub(d.sendingSince)
	d.sent = slices.DeleteFunc(d.sent, func(q sentQuantity) bool {
		missing := min(now.Sub(q.lastSeen), sending)
		onlyOldMeter := q.lastSeen.Before(d.replacedAt) && min(now.Sub(d.replacedAt), sending) >= expireAfterMeterChange
		if missing >= expireAfter || onlyOldMeter {
			expired, d.changed = append(expired, q.ID), true
			return true
		}
		return false
	})
	for i := range d.sent {
		q := &d.sent[i]
		lastInterval := q.roundedInterval()
		q.addMissing(min(now.Sub(q.lastSeen), sending))
		d.changed = d.changed || q.roundedInterval() != lastInterval
	}
	return expired
}

// takeChanged returns the descriptors if they have changed since the last call, otherwise nil. The slice is not changed afterwards.
func (d *deriver) takeChanged() []Descriptor {
	if !d.changed {
		return nil
	}
	d.changed = false
	all := make([]Descriptor, len(d.sent))
	for i := range d.sent {
		q := &d.sent[i]
		all[i] = Descriptor{q.ID, q.UnitIndex, q.Decimals, q.roundedInterval()}
	}
	return all
}
