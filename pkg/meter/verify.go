package meter

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A verifier decides which telegrams of a meter are trusted: those with a right checksum, and those without one whose codes are
// the same as in one of the last four telegrams without a checksum. Meters interleave several lists, so more than one is kept.
type verifier struct {
	lists [4][]obis.Code
	next  int // index of the oldest list, which is replaced first
}

// verify reports whether a telegram is trusted. It keeps a copy of the codes, and nothing of r.
func (v *verifier) verify(r *Reading) bool {
	if r.Checked {
		v.reset() // this meter sends checksums: an earlier telegram without one proves nothing
		return true
	}
	return v.matches(r.Records)
}

// matches reports whether one of the kept lists has the codes of these records. If none has, the codes replace the oldest list.
func (v *verifier) matches(records []obis.Record) bool {
	if len(records) == 0 {
		return false // a telegram without records is never trusted
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

// reset forgets all lists.
func (v *verifier) reset() {
	for i := range v.lists {
		v.lists[i] = v.lists[i][:0]
	}
}
