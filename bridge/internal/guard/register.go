package guard

import (
	"cmp"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A register is the history of one counter.
type register struct {
	id          quantity.ID
	known       bool // a value has been accepted
	accepted    timedValue
	pending     series // the values that were rejected after the last accepted value
	rejectedFor Reason // why the last value was rejected; 0 if it was accepted
	// meterReplaced is true if the meter was replaced after the last accepted value. If so, the next value is accepted.
	meterReplaced bool
}

// register returns the register of a counter, and adds it if there is none. The pointer is valid until the next register is added.
func (g *Guard) register(id quantity.ID) *register {
	i, found := g.find(id)
	if !found {
		g.registers = slices.Insert(g.registers, i, register{id: id})
	}
	return &g.registers[i]
}

// find returns the position of a counter's register, or where it must be inserted.
func (g *Guard) find(id quantity.ID) (position int, found bool) {
	return slices.BinarySearchFunc(g.registers, id, func(r register, id quantity.ID) int { return cmp.Compare(r.id, id) })
}

// accept stores a value as the last accepted value.
func (r *register) accept(v obis.Decimal, now int64) {
	if !r.known {
		r.accepted = timedValue{v, now, now}
	}
	r.accepted.set(v, now)
	r.known, r.meterReplaced, r.rejectedFor, r.pending.count = true, false, 0, 0
}

// A timedValue is a value, and when it was first and last sent, in ms of the Guard's clock.
type timedValue struct {
	value       obis.Decimal
	first, last int64
}

// set stores the next value that was sent.
func (t *timedValue) set(v obis.Decimal, now int64) {
	if v.Cmp(t.value) != 0 {
		t.value, t.first = v, now
	}
	t.last = now
}

// canBecome reports whether a counter with this value can read v at the time now. The value v must not be lower, and not higher than the
// limit allows.
func (t *timedValue) canBecome(v obis.Decimal, now int64, l *limit) bool {
	switch v.Cmp(t.value) {
	case -1:
		return false
	case 0:
		return true
	}
	rise, ok := v.Add(t.value.Neg())
	// A counter that rises in steps of 1 kWh repeats its value between two steps. So the time counts from the first telegram with the value.
	// But in winter the exported energy of a house can stay the same for months, and so much time would allow any jump. So at most
	// maxRepeatTime of the time between the first and the last telegram with the value counts.
	elapsed := min(now-t.first, l.maxRepeatTime+now-t.last)
	return ok && l.allows(rise, elapsed)
}

// A series is a row of rejected values of a counter. Each value can follow from the previous value of the series.
type series struct {
	timedValue       // the last value
	count      int   // the number of telegrams
	began      int64 // when the first value of the series arrived
	isAbove    bool  // the values are above the last accepted value
}

const (
	// minSeriesCount is how many telegrams a series must have before its values are accepted.
	minSeriesCount = 3
	// minJumpTime is how long the values must be above the limit before they are accepted, in ms. A day gives the user time to act,
	// because a jump cannot be removed from a hub's statistics.
	minJumpTime = int64(24 * time.Hour / time.Millisecond)
)

// add adds a rejected value. If the value cannot follow from the last value of the series, it begins a new series.
func (s *series) add(v obis.Decimal, now int64, isAbove bool, l *limit) {
	if s.count == 0 || !s.canBecome(v, now, l) {
		*s = series{timedValue: timedValue{v, now, now}, count: 1, began: now, isAbove: isAbove}
		return
	}
	s.set(v, now)
	s.count++
}

// confirmed reports whether the series is long enough for its last value to be accepted.
func (s *series) confirmed(now int64, l *limit) bool {
	lasted := now - s.began
	switch {
	case s.count < minSeriesCount:
		return false
	case s.isAbove: // the values have jumped
		return lasted >= minJumpTime
	case s.value.Sign() == 0: // the counter reads zero
		return lasted >= l.minZeroTime
	}
	return true
}
