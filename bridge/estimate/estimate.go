// Package estimate works out how many states a day a plan of the throttle causes in the database of a hub. It follows a simulated
// household, so that it needs no meter.
package estimate

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// Sent is a quantity that a meter sends.
type Sent struct {
	ID       quantity.ID
	Decimals uint8
	// Every is how often it is among what the meter sends, where that is not every telegram: an hour for most counters in Norway.
	Every time.Duration
}

// A Load is how many states a quantity causes in a day: values that differ from the one before. Others leave no trace in the
// database of a hub.
type Load struct {
	ID quantity.ID
	// States are those of a plan, EveryTelegram those of publishing every telegram.
	States, EveryTelegram int
}

// A day is tried in parts: from the beginning of each, so many telegrams as often as the meter sends them. All 86,400 of a
// meter that sends each second would take a small machine seconds.
const (
	parts   = 8
	part    = 24 * time.Hour / parts
	stretch = 540
)

// typicalDay has sun and heating, and the seed a car that is charged at night.
var typicalDay = time.Date(2026, time.March, 18, 23, 0, 0, 0, time.UTC)

const typicalSeed = 1

// Day returns what quantities cause under a plan where the meter sends a telegram at each interval, in their order. It
// follows a simulated household through a day, so that it is a guess for any other. It takes some 20 ms on a large machine.
func Day(p *throttle.Plan, quantities []Sent, every time.Duration) []Load {
	e := newEstimate(p, quantities, every)
	var state simulate.State
	for n := range parts {
		start := typicalDay.Add(time.Duration(n) * part)
		house := simulate.New(typicalSeed, start, 3)
		for i := range e.telegrams {
			house.Advance(start.Add(time.Duration(i) * e.every))
			state = house.State()
			e.take(&state, i == 0 && e.cut)
		}
	}
	return e.loads()
}

// An estimate has its telegrams come one behind the other, whatever part of the day they are from.
type estimate struct {
	throttle  *throttle.Throttle
	unlimited *throttle.Throttle // publishes every change
	every     time.Duration
	telegrams int  // of each part
	cut       bool // they are not all of it
	taken     int
	all       []tried
}

// tried is a quantity of an estimate. Its Load counts the telegrams that were tried.
type tried struct {
	Sent
	Load
	show  func(*simulate.State) obis.Decimal
	share int // it is in each so manieth telegram
}

func newEstimate(p *throttle.Plan, quantities []Sent, every time.Duration) *estimate {
	every = min(max(every, time.Second), time.Hour)
	whole := int(part / every)
	e := &estimate{throttle: throttle.New(p), unlimited: throttle.New(new(throttle.Plan)), every: every, telegrams: min(stretch, whole), cut: stretch < whole}
	for _, q := range quantities {
		q.Every = max(q.Every, every)
		e.all = append(e.all, tried{Sent: q, Load: Load{ID: q.ID}, show: shown(q.ID), share: int(q.Every / every)})
	}
	return e
}

// take tries a telegram. The first behind a cut may be far from the one before it: that step counts for nothing.
func (e *estimate) take(s *simulate.State, behindCut bool) {
	now := typicalDay.Add(time.Duration(e.taken) * e.every)
	for i := range e.all {
		q := &e.all[i]
		if q.show == nil || e.taken%q.share != q.share-1 {
			continue
		}
		value := q.show(s)
		d := e.throttle.Decide(now, q.Every, q.Sent.ID, value, q.Decimals, "")
		changed := e.unlimited.Decide(now, q.Every, q.Sent.ID, value, q.Decimals, "") == throttle.Publish
		if behindCut && q.share == 1 {
			continue
		}
		if d == throttle.Publish {
			q.States++
		}
		if changed {
			q.EveryTelegram++
		}
	}
	e.taken++
}

// loads returns what a whole day would have been.
func (e *estimate) loads() []Load {
	loads := make([]Load, len(e.all))
	tried := time.Duration(e.taken) * e.every
	for i := range loads {
		l := e.all[i].Load
		l.States = max(1, int(time.Duration(l.States)*24*time.Hour/tried))
		l.EveryTelegram = max(1, int(time.Duration(l.EveryTelegram)*24*time.Hour/tried))
		loads[i] = l
	}
	return loads
}
