package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A kind is what a counter counts, as far as its limit goes.
type kind uint8

const (
	noCounter kind = iota
	electric       // kWh, kvarh
	volume         // m³
	heat           // kWh
	heatJoule      // GJ
	plain          // a number of times
	kindCount
)

// kinds is by ID.
var kinds = func() (all [256]kind) {
	for i, row := range quantity.Rows() {
		if row.State == quantity.TotalIncreasing && row.Numeric() {
			all[i] = kindOfRow(&row)
		}
	}
	return all
}()

func kindOfRow(row *quantity.Row) kind {
	switch base := row.Measures[0].Base; {
	case row.Kind != quantity.Counter:
		return plain
	case base == obis.CubicMetre:
		return volume
	case base == obis.Joule:
		return heatJoule
	}
	return electric
}

// kindOf returns the kind of a sample: heat comes in two units.
func kindOf(s *quantity.Sample) kind {
	k := kinds[s.ID]
	if k == heatJoule && s.Measure().Base == obis.WattHour {
		return heat
	}
	return k
}

// slow tells of counters that the meter reads once an hour or once a day, and repeats meanwhile. They read zero when it has lost them.
func (k kind) slow() bool { return k == volume || k == heat || k == heatJoule }

// A limit is what a counter can do. Times are in ms.
type limit struct {
	rate  int64 // the most that it rises by in an hour, in thousandths of its unit; negative for any
	slack int64 // how much longer than is known the rise may have taken
	rest  int64 // how long before it was last seen a value that did not change is taken to have begun to change
	zero  int64 // how long it must read zero to be believed
}

const (
	second = int64(time.Second / time.Millisecond)
	minute = 60 * second
	hour   = 60 * minute

	// unit is a step of the coarsest counters, in thousandths: they count whole kWh.
	unit = 1000
	// longest is the most time that matters, so that products fit.
	longest = 10 * 365 * 24 * hour
)

// limitsAt returns the limits of a house that draws at most so many W. Reactive energy has the same; heat comes from burning gas too.
func limitsAt(watts int64) (all [kindCount]limit) {
	const litresPerHour = 100_000
	slow := limit{slack: 10 * minute, rest: 25 * hour, zero: 25 * hour}
	all[electric] = limit{rate: watts, slack: minute, rest: hour, zero: 20 * second}
	all[plain] = limit{rate: -1, zero: 20 * second}
	all[volume], all[heat], all[heatJoule] = slow, slow, slow
	all[volume].rate = litresPerHour
	all[heat].rate = 3 * watts
	all[heatJoule].rate = 3 * watts * 36 / 10_000
	return all
}

// allows tells if a counter may rise by so much in so many ms.
func (l *limit) allows(rise obis.Decimal, elapsed int64) bool {
	if l.rate < 0 {
		return true
	}
	seconds := (min(elapsed, longest) + l.slack) / second
	most := obis.Decimal{Coef: l.rate*seconds/3600 + unit, Exp: -3}
	return rise.Cmp(most) <= 0
}
