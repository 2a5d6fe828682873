package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A register is the history of one counter.
type register struct {
	known       bool // a value has been accepted
	accepted    timedValue
	pending     series // the values rejected after accepted
	rejectedFor Reason // why the last value was rejected; 0 if it was accepted
	// meterReplaced is true if the meter was replaced after the last accepted value. Then the next value is accepted.
	meterReplaced bool
}

// accept stores a value as the last accepted one.
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

// set stores the next value.
func (t *timedValue) set(v obis.Decimal, now int64) {
	if v.Cmp(t.value) != 0 {
		t.value, t.first = v, now
	}
	t.last = now
}

// canBecome reports whether a counter with this value can read v at now: v is not lower, and not higher than the limit allows.
func (t *timedValue) canBecome(v obis.Decimal, now int64, l *limit) bool {
	switch v.Cmp(t.value) {
	case -1:
		return false
	case 0:
		return true
	}
	rise, ok := v.Add(t.value.Neg())
	// A counter of whole kWh stays the same between its steps, and all that time counts as elapsed. But the export of a house in winter can
	// stay the same for months, and that must not explain a jump. So of the time before the value was last sent, at most maxRest counts.
	elapsed := min(now-t.first, l.maxRest+now-t.last)
	return ok && l.allows(rise, elapsed)
}

// A series is a number of rejected values of a counter in a row, each of which can follow from the one before.
type series struct {
	timedValue
	count int   // of telegrams
	began int64 // when the first value arrived
	above bool  // the values are above the last accepted one
}

const (
	// minSeriesCount is how many telegrams in a row must have a lower value before it is accepted.
	minSeriesCount = 3
	// minJumpTime is how long the values must be above the limit before they are accepted, in ms. It is a day, so that a person can act
	// first: a jump cannot be removed from a hub's statistics.
	minJumpTime = int64(24 * time.Hour / time.Millisecond)
)

// add adds a rejected value. If the value cannot follow from the last one of the series, it begins a new series.
func (s *series) add(v obis.Decimal, now int64, above bool, l *limit) {
	if s.count == 0 || !s.canBecome(v, now, l) {
		*s = series{timedValue: timedValue{v, now, now}, count: 1, began: now, above: above}
		return
	}
	s.set(v, now)
	s.count++
}

// confirmed reports whether the series is so long that the counter must have been reset to these values.
func (s *series) confirmed(now int64, l *limit) bool {
	lasted := now - s.began
	switch {
	case s.count < minSeriesCount:
		return false
	case s.above:
		return lasted >= minJumpTime
	case s.value.Sign() == 0:
		return lasted >= l.minZeroTime
	}
	return true
}
