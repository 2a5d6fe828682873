package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// isCounter reports whether the values of a quantity only rise.
func isCounter(id quantity.ID) bool {
	row := id.Row()
	return row.StateClass == quantity.TotalIncreasing && row.Numeric()
}

// A limit says how fast a counter can rise, and how long it must read zero before the zero is accepted. Times are in ms.
type limit struct {
	maxRate       int64 // how much the counter can rise in an hour, in thousandths of its unit; negative if there is no limit
	slack         int64 // added to the elapsed time, because a meter can read a counter some time before it sends the value
	maxRepeatTime int64 // while a value is repeated, at most this time counts as elapsed
	minZeroTime   int64 // how long the counter must read zero before the zero is accepted
}

const (
	second = int64(time.Second / time.Millisecond)
	minute = 60 * second
	hour   = 60 * minute

	// maxStep is the largest step of a counter in thousandths of its unit. Some counters rise in steps of 1 kWh.
	maxStep = 1000
	// maxElapsed is the longest elapsed time that is used, in ms. Longer times would make products overflow.
	maxElapsed = 10 * 365 * 24 * hour
)

// limitOf returns the limit of a counter in a house that draws at most watts. Reactive energy has the same limit as active energy. The limit
// of heat is three times as high because gas can heat the house too.
func limitOf(s *quantity.Sample, watts int64) limit {
	const litresPerHour = 100_000 // a litre is a thousandth of the unit, m³
	slow := limit{slack: 10 * minute, maxRepeatTime: 25 * hour, minZeroTime: 25 * hour}
	row := s.ID.Row()
	base := row.Units[0].Base
	switch {
	case row.Kind != quantity.Counter: // a number of events, such as power failures
		return limit{maxRate: -1, minZeroTime: 20 * second}
	case base == obis.CubicMetre:
		slow.maxRate = litresPerHour
	case base == obis.Joule && s.Unit().Base == obis.WattHour: // heat in kWh
		slow.maxRate = 3 * watts
	case base == obis.Joule: // heat in GJ, so maxRate is in MJ per hour; 1 Wh is 0.0036 MJ
		slow.maxRate = 3 * watts * 36 / 10_000
	default: // active or reactive energy
		return limit{maxRate: watts, slack: minute, maxRepeatTime: hour, minZeroTime: 20 * second}
	}
	return slow
}

// slow reports whether this is the limit of a sub-meter's counter. The meter reads a sub-meter once an hour or once a day, and repeats the
// value in the telegrams between. While the sub-meter does not answer, the meter sends zero as its value.
func (l *limit) slow() bool { return l.maxRepeatTime > hour }

// allows reports whether a counter can rise by rise in elapsed ms.
func (l *limit) allows(rise obis.Decimal, elapsed int64) bool {
	if l.maxRate < 0 {
		return true
	}
	seconds := (min(elapsed, maxElapsed) + l.slack) / second
	maxRise := obis.Decimal{Coef: l.maxRate*seconds/3600 + maxStep, Exp: -3}
	return rise.Cmp(maxRise) <= 0
}

// power tracks how much power a house can draw, in W.
type power struct {
	fuse int   // in A per phase; 0 if it is unknown
	peak int64 // the highest power that two telegrams in a row have reached or exceeded
	last int64 // the power in the last telegram
}

const (
	defaultFuse = 100 // A
	// wattsPerAmpere is the power of three phases with 1 A each, at 250 V, the highest usual voltage.
	wattsPerAmpere = 3 * 250
	// maxWatts is more than any customer port measures, and small enough that products do not overflow.
	maxWatts = 1_000_000_000
)

// watts returns the highest possible power: the power that the fuse allows, or twice the peak if twice the peak is more. The peak counts
// because a large building often has current transformers and no configured fuse.
func (p *power) watts() int64 {
	fuse := int64(p.fuse)
	if fuse <= 0 {
		fuse = defaultFuse
	}
	return min(max(min(fuse, maxWatts)*wattsPerAmpere, 2*p.peak), maxWatts)
}

// add adds the power of a telegram. A peak needs two telegrams because a single telegram can be wrong.
func (p *power) add(watts int64) {
	p.peak = max(p.peak, min(watts, p.last))
	p.last = watts
}

// magnitude returns the integer part of |d|, at most maxWatts.
func magnitude(d obis.Decimal) int64 {
	if d.Sign() < 0 {
		d = d.Neg()
	}
	if d.Cmp(obis.Decimal{Coef: maxWatts}) >= 0 {
		return maxWatts
	}
	for ; d.Exp < 0; d.Exp++ {
		d.Coef /= 10
	}
	for ; d.Exp > 0; d.Exp-- {
		d.Coef *= 10
	}
	return d.Coef
}

// inspect stores the largest power in a telegram, and whether the meter has started. While a meter starts, all its counters read zero. If the
// telegram has import_energy, only import_energy counts. Otherwise the meter has started if any counter of the telegram is not zero.
// After the start, a zero can be a true value: the export of a house without solar cells is always zero.
func (g *Guard) inspect(samples []quantity.Sample) {
	watts := int64(-1) // -1 means that the telegram has no power
	hasImport, importNotZero, counterNotZero := false, false, false
	for i := range samples {
		s := &samples[i]
		if s.ID == quantity.ImportPower || s.ID == quantity.ExportPower || s.ID == quantity.NetPower {
			watts = max(watts, magnitude(s.Value))
		}
		if s.ID == quantity.ImportEnergy {
			hasImport, importNotZero = true, s.Value.Sign() != 0
		}
		// A number of events, such as power failures, does not show that the meter has started.
		if s.Value.Sign() != 0 && isCounter(s.ID) && s.ID.Row().Kind == quantity.Counter {
			counterNotZero = true
		}
	}
	if watts >= 0 {
		g.power.add(watts)
	}
	g.meterStarted = importNotZero || !hasImport && counterNotZero
}
