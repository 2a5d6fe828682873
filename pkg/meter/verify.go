package meter

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A verifier decides which telegrams of a meter are trusted. A telegram with a right checksum is. A telegram without a checksum is trusted
// if its codes are among the last four different lists of codes since the last telegram with a checksum. There are several lists, because
// meters send several lists in turn.
type verifier struct {
	lists [4][]obis.Code
	next  int // index of the oldest list, which is replaced first
}

// verify reports whether a telegram is trusted. The verifier copies the codes, and does not refer to r afterwards.
func (v *verifier) verify(r *Reading) bool {
	if r.Checked {
		v.reset() // this meter sends checksums: an earlier telegram without a checksum confirms nothing
		return true
	}
	return v.matches(r.Records)
}

// matches reports whether one of v.lists has the codes of these records. If none has, the codes replace the oldest list.
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

// reset empties all lists.
func (v *verifier) reset() {
	for i := range v.lists {
		v.lists[i] = v.lists[i][:0]
	}
}
