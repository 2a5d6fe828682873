package bridge

import (
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// State holds what is newest of every meter. It is safe for concurrent use.
type State struct {
	mu      sync.Mutex
	records []*record // in the order in which the meters were added
}

// A Snapshot is what is newest of one meter.
type Snapshot struct {
	Meter       Meter
	Description Description
	Online      bool
	Stats       Stats
	// Values are the newest values of all quantities that the meter sends, in the order of the table. They are empty before the first telegram.
	Values []Value
	// Descriptors are all quantities that the meter sends, also those of an earlier run. The slice is read-only.
	Descriptors []Descriptor
}

// Snapshots returns what is newest of every meter, in the order in which the meters were added. The caller owns the result.
func (s *State) Snapshots() []Snapshot {
	var all []Snapshot
	for _, r := range s.all() {
		r.mu.Lock()
		snapshot := r.Snapshot
		snapshot.Values = slices.Clone(snapshot.Values)
		r.mu.Unlock()
		all = append(all, snapshot)
	}
	return all
}

// all returns the records of all meters. A nil State has none.
func (s *State) all() []*record {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.records)
}

// add adds a meter.
func (s *State) add(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
}

// remove removes a meter.
func (s *State) remove(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = slices.DeleteFunc(s.records, func(o *record) bool { return o == r })
}

// A record holds what is newest of one meter. Its lock also makes the updates of a meter follow one another in all subscriptions.
type record struct {
	mu sync.Mutex
	Snapshot
}

// An update is what a meter passes on in one step, so that no output sees a meter online without values.
type update struct {
	at       time.Time // when the telegram arrived, or when the state changed
	telegram *Telegram // nil if only the state of the meter has changed
	earlier  []Value   // counters of an earlier run, which belong to the first telegram
	// interval is the usual time between two telegrams.
	interval    time.Duration
	descriptors []Descriptor  // all quantities; nil if they have not changed
	expired     []quantity.ID // quantities that the meter no longer sends
	forgotten   []quantity.ID // quantities whose published values are no longer valid
	events      []Event
	final       bool // the meter is no longer read: values that a throttle has withheld are published
}

// apply stores an update. The caller holds r.mu, and has set Description, Online and Stats already.
func (r *record) apply(u *update) {
	if u.telegram != nil {
		for i := range u.telegram.Values {
			r.Values = setValue(r.Values, &u.telegram.Values[i])
		}
	}
	for i := range u.earlier {
		r.Values = setValue(r.Values, &u.earlier[i])
	}
	r.Values = slices.DeleteFunc(r.Values, func(v Value) bool { return slices.Contains(u.expired, v.ID) })
	if u.descriptors != nil {
		r.Descriptors = u.descriptors
	}
}

// setValue sets the value of a quantity in values, which are in the order of the table.
func setValue(values []Value, v *Value) []Value {
	i, found := findValue(values, v.ID)
	if !found {
		return slices.Insert(values, i, *v)
	}
	values[i] = *v
	return values
}

// findValue returns the index of a quantity in values, which are in the order of the table. If it is not found, the index is where it would be
// inserted.
func findValue(values []Value, id quantity.ID) (int, bool) {
	return slices.BinarySearchFunc(values, id, func(v Value, id quantity.ID) int { return int(v.ID) - int(id) })
}
