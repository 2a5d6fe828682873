package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

var (
	importEnergy, exportEnergy = named("import_energy"), named("export_energy")
	absoluteEnergy             = named("absolute_energy")

	importPower, exportPower, netPower = named("import_power"), named("export_power"), named("net_power")
)

func named(name string) quantity.ID {
	id, ok := quantity.Named(name)
	if !ok {
		panic("guard: no quantity " + name)
	}
	return id
}

// isCounter reports whether a quantity is one that only rises.
func isCounter(id quantity.ID) bool {
	row := id.Row()
	return row.State == quantity.TotalIncreasing && row.Numeric()
}

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

// limitOf returns the limit of a counter in a house that draws at most so many W. Reactive energy has that of energy; heat comes from
// burning gas too.
func limitOf(s *quantity.Sample, watts int64) limit {
	const litresPerHour = 100_000
	slow := limit{slack: 10 * minute, rest: 25 * hour, zero: 25 * hour}
	row := s.ID.Row()
	base := row.Measures[0].Base
	switch {
	case row.Kind != quantity.Counter: // a number of times
		return limit{rate: -1, zero: 20 * second}
	case base == obis.CubicMetre:
		slow.rate = litresPerHour
	case base == obis.Joule && s.Measure().Base == obis.WattHour: // heat in kWh
		slow.rate = 3 * watts
	case base == obis.Joule: // in GJ
		slow.rate = 3 * watts * 36 / 10_000
	default:
		return limit{rate: watts, slack: minute, rest: hour, zero: 20 * second}
	}
	return slow
}

// slow tells of counters that the meter reads once an hour or once a day, and repeats meanwhile. They read zero when it has lost them.
func (l *limit) slow() bool { return l.rest > hour }

// allows tells if a counter may rise by so much in so many ms.
func (l *limit) allows(rise obis.Decimal, elapsed int64) bool {
	if l.rate < 0 {
		return true
	}
	seconds := (min(elapsed, longest) + l.slack) / second
	most := obis.Decimal{Coef: l.rate*seconds/3600 + unit, Exp: -3}
	return rise.Cmp(most) <= 0
}

// power is what a house may draw, in W.
type power struct {
	fuse   int   // in A per phase, 0 where it is not known
	most   int64 // the most that two telegrams in a row have shown
	before int64 // what the last telegram showed
}

const (
	usualFuse = 100
	// wattsPerAmpere is for three phases of 250 V, as high as voltage gets.
	wattsPerAmpere = 3 * 250
	// mostWatts is more than any customer port measures, and keeps products small.
	mostWatts = 1_000_000_000
)

// watts returns what is taken for possible: what the fuse lets through, or twice what has been seen. Meters behind transformers show
// the house's power, and nobody has told their fuse.
func (p *power) watts() int64 {
	fuse := int64(p.fuse)
	if fuse <= 0 {
		fuse = usualFuse
	}
	return min(max(min(fuse, mostWatts)*wattsPerAmpere, 2*p.most), mostWatts)
}

// add takes in the power of a telegram. One reading alone may be as wrong as the counter beside it.
func (p *power) add(watts int64) {
	p.most = max(p.most, min(watts, p.before))
	p.before = watts
}

// magnitude returns the whole part of |d|, at most mostWatts.
func magnitude(d obis.Decimal) int64 {
	if d.Sign() < 0 {
		d = d.Neg()
	}
	if d.Cmp(obis.Decimal{Coef: mostWatts}) >= 0 {
		return mostWatts
	}
	for ; d.Exp < 0; d.Exp++ {
		d.Coef /= 10
	}
	for ; d.Exp > 0; d.Exp-- {
		d.Coef *= 10
	}
	return d.Coef
}

// look takes in what one telegram as a whole shows: its largest power, and whether the meter counts. A meter that is still starting reads
// zero. The export of a house without solar cells is zero for ever, and stands beside an import that is not.
func (g *Guard) look(samples []quantity.Sample) {
	watts := int64(-1)
	hasImport, imports, counts := false, false, false
	for i := range samples {
		s := &samples[i]
		switch s.ID {
		case importPower, exportPower, netPower:
			watts = max(watts, magnitude(s.Value))
		case importEnergy:
			hasImport, imports = true, s.Value.Sign() != 0
		}
		counts = counts || s.Value.Sign() != 0 && isCounter(s.ID) && s.ID.Row().Kind == quantity.Counter
	}
	if watts >= 0 {
		g.power.add(watts)
	}
	g.counting = imports || !hasImport && counts
}
