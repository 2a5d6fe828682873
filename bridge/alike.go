package bridge

import "github.com/hanbridge/hanbridge/pkg/obis"

// alike believes telegrams without checksum: one whose codes are those of one before. Meters interleave several lists, so the
// last few are remembered, and none twice.
type alike struct {
	lists [4][]obis.Code
	next  int // the oldest
}

// seen tells if a telegram with these codes came before, and remembers it.
func (a *alike) seen(records []obis.Record) bool {
	if len(records) == 0 {
		return false // it says nothing
	}
	for _, list := range a.lists {
		if sameCodes(list, records) {
			return true
		}
	}
	list := &a.lists[a.next]
	*list = (*list)[:0]
	for i := range records {
		*list = append(*list, records[i].Code)
	}
	a.next = (a.next + 1) % len(a.lists)
	return false
}

func sameCodes(list []obis.Code, records []obis.Record) bool {
	if len(list) != len(records) {
		return false
	}
	for i := range list {
		if list[i] != records[i].Code {
			return false
		}
	}
	return true
}

// forget remembers nothing.
func (a *alike) forget() {
	for i := range a.lists {
		a.lists[i] = a.lists[i][:0]
	}
}
