// Package estimate estimates how many states the database of a hub stores per day if a throttle.Plan decides which values are published. The
// values are those of a simulated household, so the package needs no meter.
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
	// Interval is the time between two telegrams that have the quantity. If it is at most the interval of the telegrams, every telegram
	// has the quantity. For example, most Norwegian meters send their counters once an hour.
	Interval time.Duration
}

// DailyStates is how many states of a quantity a hub stores in a day. A hub stores a state if the value differs from the previous value.
type DailyStates struct {
	ID quantity.ID
	// Throttled is the number of states if the plan decides which values are published.
	Throttled int
	// EveryTelegram is the number of states if the values of every telegram are published.
	EveryTelegram int
}

// The day is divided into parts. Only the first telegrams of each part are simulated, because all 86,400 telegrams of a meter that sends each
// second would take a small machine several seconds.
const (
	partsPerDay         = 8
	partDuration        = 24 * time.Hour / partsPerDay
	maxTelegramsPerPart = 540
)

// typicalDay is the beginning of a simulated day with sun and heating.
var typicalDay = time.Date(2026, time.March, 18, 23, 0, 0, 0, time.UTC)

// typicalSeed selects a simulated household in which a car is charged at night.
const typicalSeed = 1

// An Estimator estimates for any number of meters with the same plan. It simulates a household only for quantities and intervals that it has not
// estimated before, so meters of one family need one simulation. An Estimator is not safe for concurrent use.
type Estimator struct {
	plan        *throttle.Plan
	results     map[sending]DailyStates
	simulations int // how many days were simulated, for tests
}

// A sending is how a meter sends a quantity. The states of a quantity do not depend on the other quantities of the meter.
type sending struct {
	Quantity
	telegramInterval time.Duration
}

// New returns an Estimator for a plan, which must not change afterwards.
func New(p *throttle.Plan) *Estimator { return &Estimator{plan: p, results: map[sending]DailyStates{}} }

// Day estimates the states that each of the quantities of a meter causes in a day. The result has the order of quantities. Interval is the
// time between two telegrams of the meter. Intervals below 1 s are raised to 1 s, and intervals above 1 h are lowered to 1 h. Real households
// differ from the simulated household. A simulation takes about 20 ms on a fast machine.
func (e *Estimator) Day(quantities []Quantity, interval time.Duration) []DailyStates {
	interval = min(max(interval, time.Second), time.Hour)
	sent, missing := make([]sending, len(quantities)), []Quantity(nil)
	for i, q := range quantities {
		q.Interval = max(q.Interval, interval)
		sent[i] = sending{q, interval}
		if _, known := e.results[sent[i]]; !known {
			missing = append(missing, q)
		}
	}
	if len(missing) > 0 {
		e.simulate(missing, interval)
	}
	all := make([]DailyStates, len(sent))
	for i := range sent {
		all[i] = e.results[sent[i]]
	}
	return all
}

// simulate adds the results of quantities, which a meter sends in telegrams of an interval. No interval of a quantity is below this interval.
func (e *Estimator) simulate(quantities []Quantity, interval time.Duration) {
	e.simulations++
	d := simulatedDay{interval: interval, throttled: throttle.New(e.plan), unthrottled: throttle.New(new(throttle.Plan))}
	for _, q := range quantities {
		d.counts = append(d.counts, count{Quantity: q, value: simulatedValue(q.ID), every: int(q.Interval / interval)})
	}
	telegrams := int(partDuration / interval) // in each part of the day
	hasGaps := telegrams > maxTelegramsPerPart
	telegrams = min(telegrams, maxTelegramsPerPart)
	for part := range partsPerDay {
		start := typicalDay.Add(time.Duration(part) * partDuration)
		house := simulate.NewHousehold(typicalSeed, start, 3) // three phases
		for i := range telegrams {
			house.Advance(start.Add(time.Duration(i) * interval))
			state := house.State()
			d.add(&state, part*telegrams+i, i == 0 && hasGaps)
		}
	}
	for i, states := range d.dailyStates(time.Duration(partsPerDay*telegrams) * interval) {
		e.results[sending{quantities[i], interval}] = states
	}
}

// A simulatedDay counts the states of the simulated telegrams. It numbers the telegrams as if there were no gaps between the parts of the day.
type simulatedDay struct {
	throttled   *throttle.Throttle
	unthrottled *throttle.Throttle // publishes every change
	interval    time.Duration
	counts      []count
}

// A count is the number of states of a quantity in the simulated telegrams.
type count struct {
	Quantity
	value                  func(*simulate.State) obis.Decimal // nil if the value hardly ever changes
	every                  int                                // 4 means that every fourth telegram has the quantity
	throttled, unthrottled int                                // states with and without the plan
}

// add counts the states of the nth telegram. If every telegram has a quantity, add does not count the first state after a gap, because the
// gap can make the value jump.
func (d *simulatedDay) add(s *simulate.State, n int, afterGap bool) {
	now := typicalDay.Add(time.Duration(n) * d.interval)
	for i := range d.counts {
		q := &d.counts[i]
		if q.value == nil || n%q.every != q.every-1 {
			continue
		}
		value := q.value(s)
		throttled := d.throttled.Decide(now, q.Interval, q.ID, value, q.Decimals, "")
		unthrottled := d.unthrottled.Decide(now, q.Interval, q.ID, value, q.Decimals, "")
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
func (d *simulatedDay) dailyStates(simulated time.Duration) []DailyStates {
	all := make([]DailyStates, len(d.counts))
	perDay := func(n int) int { return max(1, int(time.Duration(n)*24*time.Hour/simulated)) }
	for i, q := range d.counts {
		all[i] = DailyStates{ID: q.ID, Throttled: perDay(q.throttled), EveryTelegram: perDay(q.unthrottled)}
	}
	return all
}

// simulatedValue returns a function that gives the value of a quantity in a state of the household, in the published unit. For a quantity
// that the household does not have, the function gives the value of another quantity of the same kind. The function is nil for a status,
// because a status hardly ever changes.
func simulatedValue(id quantity.ID) func(*simulate.State) obis.Decimal {
	row := id.Row()
	if row.Kind == quantity.Status {
		return nil
	}
	switch row.Name { // quantities of sub-meters, for which the table has no OBIS codes
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

// registerValue returns a function that gives the value of the first OBIS code of a row; nil if the household does not have this code.
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
