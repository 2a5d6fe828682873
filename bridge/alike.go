package bridge

import (
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// A Doubt says which telegrams of one wire may be believed, and how long it is worth waiting for one that may. The zero value is
// ready. It may not be used by two goroutines at once.
type Doubt struct {
	alike alike
	waits int
}

// Believes tells if a telegram may be believed: one that was checked, or one whose codes are those of one of the last few without
// checksum. It keeps nothing of r.
func (d *Doubt) Believes(r *meter.Reading) bool {
	if r.Checked {
		d.alike.forget() // one without checksum before it does not count
		return true
	}
	return d.alike.seen(r.Records)
}

// Waits tells, after a telegram that is not believed, if the wire has earned its time once more, for one that is alike. It is
// false for ever after as many as are remembered: no meter sends more lists.
func (d *Doubt) Waits() bool {
	d.waits++
	return d.waits <= len(d.alike.lists)
}

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
