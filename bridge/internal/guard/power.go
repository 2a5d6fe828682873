package guard

import "github.com/hanbridge/hanbridge/pkg/obis"

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

// add takes in the power of a telegram, -1 where it has none, and tells if it changed what is possible. One reading alone may be as
// wrong as the counter beside it.
func (p *power) add(watts int64) (changed bool) {
	if watts < 0 {
		return false
	}
	shown := min(watts, p.before)
	p.before = watts
	if shown <= p.most {
		return false
	}
	p.most = shown
	return true
}

// magnitude returns the whole part of |d|, at most mostWatts.
func magnitude(d obis.Decimal) int64 {
	if d.Coef < 0 {
		d = d.Neg()
	}
	if d.Cmp(obis.Decimal{Coef: mostWatts}) >= 0 {
		return mostWatts
	}
	for ; d.Exp < 0 && d.Coef != 0; d.Exp++ {
		d.Coef /= 10
	}
	for ; d.Exp > 0 && d.Coef != 0; d.Exp-- {
		d.Coef *= 10
	}
	return d.Coef
}
