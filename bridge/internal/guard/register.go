package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A register is what is known of one counter.
type register struct {
	known bool
	good  point
	run   run
	held  Reason // why it was held back when it came last; 0 where it was not
	// open tells that the meter was replaced: what comes next is believed.
	open bool
}

// take believes a value.
func (r *register) take(v obis.Decimal, now int64) {
	if !r.known {
		r.good = point{v, now, now}
	}
	r.good.see(v, now)
	r.known, r.open, r.held, r.run.times = true, false, 0, 0
}

// A point is a value, and when it was first and last seen, in ms of the Guard's clock.
type point struct {
	value       obis.Decimal
	first, last int64
}

func (p *point) see(v obis.Decimal, now int64) {
	if v.Cmp(p.value) != 0 {
		p.value, p.first = v, now
	}
	p.last = now
}

// leadsTo tells if a counter may have come from this value to v: not down, and not up by more than the limit.
func (p *point) leadsTo(v obis.Decimal, now int64, l *limit) bool {
	switch v.Cmp(p.value) {
	case -1:
		return false
	case 0:
		return true
	}
	rise, ok := v.Add(p.value.Neg())
	// A counter of whole kWh rests between its steps, and all that time counts. One that has rested for long, such as the export of a
	// house in winter, must not save it up for a jump.
	elapsed := min(now-p.first, l.rest+now-p.last)
	return ok && l.allows(rise, elapsed)
}

// A run is the values of a counter that do not fit the last good one, as long as they fit each other.
type run struct {
	point
	times int // telegrams in a row
	began int64
	up    bool // they are above the last good one
}

const (
	// enoughTimes is how many telegrams in a row make a decrease a fact.
	enoughTimes = 3
	// enoughUp is how long a jump must go on to be a fact. What it does to statistics cannot be taken back, so a person gets a day to act.
	enoughUp = int64(24 * time.Hour / time.Millisecond)
)

// add goes on with a value that was not believed, or begins again with it.
func (r *run) add(v obis.Decimal, now int64, up bool, l *limit) {
	if r.times == 0 || !r.leadsTo(v, now, l) {
		*r = run{point: point{v, now, now}, times: 1, began: now, up: up}
		return
	}
	r.see(v, now)
	r.times++
}

// settled tells that the run has gone on for so long that it is how the counter goes on.
func (r *run) settled(now int64, l *limit) bool {
	lasted := now - r.began
	switch {
	case r.times < enoughTimes:
		return false
	case r.up:
		return lasted >= enoughUp
	case r.value.Sign() == 0:
		return lasted >= l.zero
	}
	return true
}
