package meter

import (
	"slices"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A verifier decides which telegrams of a meter are Verified. A Checked telegram is Verified. A telegram that is not Checked is Verified if one of
// lists has its codes. lists has the codes of the last four telegrams with different codes, since the last Checked telegram. Four are enough,
// because no meter alternates between more lists.
type verifier struct {
	lists [4][]obis.Code
	next  int // index of the oldest list, which is replaced first
}

// verify reports whether a telegram is Verified. It copies the codes, and does not refer to r afterwards.
func (v *verifier) verify(r *Reading) bool {
	if r.Checked {
		v.reset() // this meter sends checksums, so an earlier telegram without a checksum was probably damaged
		return true
	}
	return v.matches(r.Records)
}

// matches reports whether one of v.lists has the codes of these records. If no list has them, the codes replace the oldest list.
func (v *verifier) matches(records []obis.Record) bool {
	if len(records) == 0 {
		return false // a telegram without records is never Verified
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
