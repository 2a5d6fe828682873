package quantity

import "github.com/hanbridge/hanbridge/pkg/obis"

// A Scale holds a factor for each ID, by which what the meter sends is multiplied before anything is derived from it: the
// ratio of the transformers that the meter leaves out. A zero factor is 1. A nil Scale changes nothing.
type Scale [256]obis.Decimal

// apply returns v multiplied by the factor of id; ok is false when the product does not fit.
func (s *Scale) apply(id ID, v obis.Decimal) (scaled obis.Decimal, ok bool) {
	if s[id].Coef == 0 {
		return v, true
	}
	return v.Mul(s[id])
}
