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
	every = min(max(every, time.Second), time.Hour)
	e := estimate{every: every, planned: throttle.New(p), unlimited: throttle.New(new(throttle.Plan))}
	for _, q := range quantities {
		q.Every = max(q.Every, every)
		e.all = append(e.all, tried{Sent: q, show: shown(q.ID), share: int(q.Every / every)})
	}
	telegrams, cut := int(part/every), false
	if telegrams > stretch {
		telegrams, cut = stretch, true
	}
	for n := range parts {
		start := typicalDay.Add(time.Duration(n) * part)
		house := simulate.NewHousehold(typicalSeed, start, 3)
		for i := range telegrams {
			house.Advance(start.Add(time.Duration(i) * every))
			state := house.State()
			e.take(&state, n*telegrams+i, i == 0 && cut)
		}
	}
	return e.loads(time.Duration(parts*telegrams) * every)
}

// An estimate has its telegrams come one behind the other, whatever part of the day they are from.
type estimate struct {
	planned   *throttle.Throttle
	unlimited *throttle.Throttle // publishes every change
	every     time.Duration
	all       []tried
}

// tried is a quantity of an estimate.
type tried struct {
	Sent
	show            func(*simulate.State) obis.Decimal
	share           int // it is in one of so many telegrams
	states, changes int // of the telegrams that were tried
}

// take tries the nth telegram. The first behind a cut may be far from the one before it: that step counts for nothing.
func (e *estimate) take(s *simulate.State, n int, behindCut bool) {
	now := typicalDay.Add(time.Duration(n) * e.every)
	for i := range e.all {
		q := &e.all[i]
		if q.show == nil || n%q.share != q.share-1 {
			continue
		}
		value := q.show(s)
		planned := e.planned.Decide(now, q.Every, q.ID, value, q.Decimals, "")
		changed := e.unlimited.Decide(now, q.Every, q.ID, value, q.Decimals, "")
		if behindCut && q.share == 1 {
			continue
		}
		if planned == throttle.Publish {
			q.states++
		}
		if changed == throttle.Publish {
			q.changes++
		}
	}
}

// loads returns what a whole day would have been.
func (e *estimate) loads(tried time.Duration) []Load {
	loads := make([]Load, len(e.all))
	daily := func(n int) int { return max(1, int(time.Duration(n)*24*time.Hour/tried)) }
	for i, q := range e.all {
		loads[i] = Load{ID: q.ID, States: daily(q.states), EveryTelegram: daily(q.changes)}
	}
	return loads
}

// shown returns what the simulated household shows of a quantity, in the published unit. What it does not know moves as
// another quantity of its kind does. Nil for what hardly ever changes.
func shown(id quantity.ID) func(*simulate.State) obis.Decimal {
	row := id.Row()
	if row.Kind == quantity.Status {
		return nil
	}
	switch row.Name { // these have no code of their own
	case "gas":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Gas, Exp: -3} }
	case "water":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Water, Exp: -3} }
	case "thermal_energy", "cooling_energy":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Heat, Exp: -3} }
	}
	show := register(row)
	for i := range quantity.Rows() {
		if other := &quantity.Rows()[i]; show == nil && other.Kind == row.Kind {
			show = register(other)
		}
	}
	return show
}

func register(row *quantity.Row) func(*simulate.State) obis.Decimal {
	if len(row.Codes) == 0 {
		return nil
	}
	c := row.Codes[0]
	code := obis.Code{1, 0, c[0], c[1], c[2], obis.Any}
	if _, known := new(simulate.State).Value(code); !known {
		return nil
	}
	prefix := row.Units[0].Prefix
	return func(s *simulate.State) obis.Decimal {
		v, _ := s.Value(code)
		return v.Shift(-prefix)
	}
}
