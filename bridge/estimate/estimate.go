// Package estimate works out how many states a day a throttle plan causes in the database of a hub. It throttles the values of a simulated
// household, so it needs no meter.
package estimate

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A Quantity is a quantity that a meter sends.
type Quantity struct {
	ID       quantity.ID
	Decimals uint8
	// Interval is the time between two telegrams that have the quantity. If it is shorter than the interval of the telegrams, every
	// telegram has the quantity. Most Norwegian meters send their counters once an hour.
	Interval time.Duration
}

// DailyStates are the states that a quantity causes in a day. A hub stores a state in its database if the value differs from the one before.
type DailyStates struct {
	ID quantity.ID
	// Throttled counts the states with the plan, EveryTelegram those if every telegram were published.
	Throttled, EveryTelegram int
}

// A day is sampled: the estimate simulates the first telegrams of each part of the day. All 86,400 telegrams of a meter that sends each
// second would take a small machine several seconds.
const (
	partsPerDay         = 8
	partDuration        = 24 * time.Hour / partsPerDay
	maxTelegramsPerPart = 540
)

// typicalDay is the beginning of a day with sun and heating. With typicalSeed a car is charged at night.
var typicalDay = time.Date(2026, time.March, 18, 23, 0, 0, 0, time.UTC)

const typicalSeed = 1

// Day estimates the states that each of the quantities causes in a day under plan p, in the same order. interval is the time between two
// telegrams of the meter, limited to 1 s to 1 h. The values are those of one simulated household, so other households differ. A call takes
// about 20 ms on a fast machine.
func Day(p *throttle.Plan, quantities []Quantity, interval time.Duration) []DailyStates {
	interval = min(max(interval, time.Second), time.Hour)
	e := estimate{interval: interval, throttled: throttle.New(p), unthrottled: throttle.New(new(throttle.Plan))}
	for _, q := range quantities {
		q.Interval = max(q.Interval, interval)
		e.counts = append(e.counts, count{Quantity: q, value: simulatedValue(q.ID), every: int(q.Interval / interval)})
	}
	telegrams := int(partDuration / interval)
	hasGaps := telegrams > maxTelegramsPerPart
	telegrams = min(telegrams, maxTelegramsPerPart)
	for part := range partsPerDay {
		start := typicalDay.Add(time.Duration(part) * partDuration)
		house := simulate.NewHousehold(typicalSeed, start, 3)
		for i := range telegrams {
			house.Advance(start.Add(time.Duration(i) * interval))
			state := house.State()
			e.add(&state, part*telegrams+i, i == 0 && hasGaps)
		}
	}
	return e.dailyStates(time.Duration(partsPerDay*telegrams) * interval)
}

// An estimate counts the states of the simulated telegrams. It numbers them without the gaps between the parts of the day.
type estimate struct {
	throttled   *throttle.Throttle
	unthrottled *throttle.Throttle // publishes every change
	interval    time.Duration
	counts      []count
}

// A count is a quantity with its states in the simulated telegrams.
type count struct {
	Quantity
	value                  func(*simulate.State) obis.Decimal // nil if it hardly ever changes
	every                  int                                // 4 means that each fourth telegram has the quantity
	throttled, unthrottled int
}

// add counts the states of the nth telegram. The value of the first telegram after a gap can differ much from the value before the gap.
// This difference is not counted.
func (e *estimate) add(s *simulate.State, n int, afterGap bool) {
	now := typicalDay.Add(time.Duration(n) * e.interval)
	for i := range e.counts {
		q := &e.counts[i]
		if q.value == nil || n%q.every != q.every-1 {
			continue
		}
		value := q.value(s)
		throttled := e.throttled.Decide(now, q.Interval, q.ID, value, q.Decimals, "")
		unthrottled := e.unthrottled.Decide(now, q.Interval, q.ID, value, q.Decimals, "")
		if afterGap && q.every == 1 {
			continue
		}
		if throttled == throttle.Publish {
			q.throttled++
		}
		if unthrottled == throttle.Publish {
			q.unthrottled++
		}
	}
}

// dailyStates scales the counts from the simulated duration to a day. Each quantity has at least one state.
func (e *estimate) dailyStates(simulated time.Duration) []DailyStates {
	all := make([]DailyStates, len(e.counts))
	perDay := func(n int) int { return max(1, int(time.Duration(n)*24*time.Hour/simulated)) }
	for i, q := range e.counts {
		all[i] = DailyStates{ID: q.ID, Throttled: perDay(q.throttled), EveryTelegram: perDay(q.unthrottled)}
	}
	return all
}

// simulatedValue returns a function that gives the value of a quantity in a state of the household, in the published unit. A quantity that
// the household does not have moves as another one of its kind. The function is nil for a status, because it hardly ever changes.
func simulatedValue(id quantity.ID) func(*simulate.State) obis.Decimal {
	row := id.Row()
	if row.Kind == quantity.Status {
		return nil
	}
	switch row.Name { // quantities of sub-meters, which have no code of their own
	case "gas":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Gas, Exp: -3} }
	case "water":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Water, Exp: -3} }
	case "thermal_energy", "cooling_energy":
		return func(s *simulate.State) obis.Decimal { return obis.Decimal{Coef: s.Heat, Exp: -3} }
	}
	value := registerValue(row)
	for i := range quantity.Rows() {
		if other := &quantity.Rows()[i]; value == nil && other.Kind == row.Kind {
			value = registerValue(other)
		}
	}
	return value
}

// registerValue returns a function that gives the value of the first code of a row, or nil if the household does not have it.
func registerValue(row *quantity.Row) func(*simulate.State) obis.Decimal {
	if len(row.Codes) == 0 {
		return nil
	}
	c := row.Codes[0]
	code := obis.Code{1, 0, c[0], c[1], c[2], obis.Any}
	if _, exists := new(simulate.State).Value(code); !exists {
		return nil
	}
	prefix := row.Units[0].Prefix
	return func(s *simulate.State) obis.Decimal {
		v, _ := s.Value(code)
		return v.Shift(-prefix)
	}
}
