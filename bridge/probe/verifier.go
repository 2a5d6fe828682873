package probe

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Verifier decides which telegrams of a meter may be believed: those with a right checksum, and those without one whose codes are
// the same as in one of the last few telegrams without a checksum. Meters interleave several lists, so the last few are kept.
type Verifier struct {
	lists [4][]obis.Code
	next  int // the oldest
}

// Believes reports whether a telegram may be believed. It keeps nothing of r.
func (v *Verifier) Believes(r *meter.Reading) bool {
	if r.Checked {
		v.reset() // one without a checksum before it does not count
		return true
	}
	return v.seen(r.Records)
}

// seen reports whether a telegram with these codes came before, and remembers the codes.
func (v *Verifier) seen(records []obis.Record) bool {
	if len(records) == 0 {
		return false // it says nothing
	}
	for _, list := range v.lists {
		if slices.EqualFunc(list, records, func(c obis.Code, r obis.Record) bool { return c == r.Code }) {
			return true
		}
	}
	list := &v.lists[v.next]
	*list = (*list)[:0]
	for i := range records {
		*list = append(*list, records[i].Code)
	}
	v.next = (v.next + 1) % len(v.lists)
	return false
}

func (v *Verifier) reset() {
	for i := range v.lists {
		v.lists[i] = v.lists[i][:0]
	}
}
