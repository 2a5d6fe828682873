package bridge

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Feed is one output's view of all meters. It keeps the newest value of every quantity and which of them are new, so
// that an output may be slow or away for days: it costs a meter nothing, and loses no quantity. One output takes from it;
// the meters put into it.
type Feed struct {
	mu     sync.Mutex
	slots  []slot
	signal chan struct{} // something is new

	health          *progress.Group
	progress        *progress.Reporter // of the output's goroutine
	memory          *state.Store
	instance        *Instance
	journal         *journal
	cursor          atomic.Uint64 // telegrams delivered
	taken           uint64        // telegrams given out, delivered at the next Take
	batch           Batch
	interrupted     bool      // see TakeInterrupted; the output's goroutine alone looks at it
	undelivered     bool      // the batch holds something that was given out and is not yet delivered
	deliveringSince time.Time // since when the output has delivered; zero before the first. The output's goroutine alone looks at it
}

// TakeInterrupted reports whether an interruption of this output was logged, and clears the flag. The output then logs that it is connected
// again.
func (f *Feed) TakeInterrupted() bool {
	interrupted := f.interrupted
	f.interrupted = false
	return interrupted
}

// slot is what a Feed holds of one meter.
type slot struct {
	MeterUpdate      // what is new besides values and events
	anyNew      bool // anything is
	whole       bool // the next telegram is wanted whole: values may have been held back for long
	values      [maxQuantities]Value
	have        [maxQuantities]bool
	fresh       [maxQuantities]bool
	given       int // how many events have been given out, delivered at the next Take
}

// condition is what is known of a meter besides its values.
type condition struct {
	about  Description
	online bool
	stats  Stats
}

// A Batch is what is new since the last Take.
type Batch struct {
	// Updates has an entry for each meter of which anything but a telegram is new.
	Updates []MeterUpdate
	// Telegrams are whole telegrams in the order in which they came.
	Telegrams []Telegram
	// Lost counts telegrams that went unread because the output was too slow.
	Lost uint64
}

// A MeterUpdate is what is new of one meter.
type MeterUpdate struct {
	Meter Meter
	// Description is new if DescriptionNew is set; so are the other fields with theirs.
	Description    Description
	DescriptionNew bool
	Online         bool
	// OnlineNew is set too when nothing has changed but everything is wanted again.
	OnlineNew bool
	Stats     Stats
	StatsNew  bool
	// Values are the new ones, in the order of the table of quantities.
	Values []Value
	// Descriptors are all quantities that the meter sends, also those of an earlier run, and belong to the Feed until it gives others;
	// filled when DescriptorsNew.
	Descriptors    []Descriptor
	DescriptorsNew bool
	// Events are those that have not been delivered, in order.
	Events []Event
}

func newFeed(meters []Meter, j *journal) *Feed {
	f := &Feed{slots: make([]slot, len(meters)), signal: make(chan struct{}, 1), journal: j}
	for i := range meters {
		f.slots[i] = slot{MeterUpdate: MeterUpdate{Meter: meters[i], OnlineNew: true}, anyNew: true}
	}
	f.wake()
	j.readers = append(j.readers, f)
	return f
}

// Ready gives a value when something is new. It may give one when nothing is: Take then returns nil. To call Ready also says that the
// output is about to wait, which it may do for ever: call it each time anew.
func (f *Feed) Ready() <-chan struct{} {
	f.progress.Note("") // it has overcome what interrupted it
	f.progress.Waiting()
	return f.signal
}

// Progress says that the output has just made progress in its work. An output that works for two minutes without Progress, Take or Ready
// counts as stuck.
func (f *Feed) Progress() { f.progress.Working() }

// Health returns how all goroutines of the bridge are. It takes no lock that a stuck one could hold.
func (f *Feed) Health() []progress.Status { return f.health.Statuses() }

// Take returns what is new, nil when nothing is. It never waits. The Batch belongs to the Feed and is valid until the next
// Take, which also says that this one has been delivered: take until there is nothing.
func (f *Feed) Take() *Batch {
	if f.cursor.Swap(f.taken) != f.taken {
		f.journal.progressed()
	}
	f.progress.Working()
	if f.undelivered && f.deliveringSince.IsZero() {
		f.deliveringSince = time.Now()
	}
	b := f.collect()
	f.undelivered = b != nil
	return b
}

// Resync makes everything new again, as after a reconnect: all values, states and descriptions, and the telegrams and events
// of the last Batch where it had not been delivered. Values that were held back follow with the next telegram.
func (f *Feed) Resync() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken, f.undelivered = f.cursor.Load(), false
	for i := range f.slots {
		s := &f.slots[i]
		s.fresh, s.given, s.whole = s.have, 0, true
		s.DescriptionNew, s.OnlineNew, s.DescriptorsNew, s.StatsNew, s.anyNew = true, true, true, true, true
	}
	f.wake()
}

// Meter returns the meter that a Telegram names by its index.
func (f *Feed) Meter(index int) Meter { return f.slots[index].Meter }

// Meters returns all meters in the order of the configuration.
func (f *Feed) Meters() []Meter {
	all := make([]Meter, len(f.slots))
	for i := range f.slots {
		all[i] = f.slots[i].Meter
	}
	return all
}

func (f *Feed) wake() {
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

// collect moves what is new into the batch.
func (f *Feed) collect() *Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := &f.batch
	b.Telegrams, f.taken, b.Lost = f.journal.from(f.taken, b.Telegrams[:0])
	b.Updates = b.Updates[:0]
	for i := range f.slots {
		s := &f.slots[i]
		s.Events, s.given = slices.Delete(s.Events, 0, s.given), 0
		if s.anyNew {
			b.Updates = slices.Grow(b.Updates, 1)[:len(b.Updates)+1] // its slices are used again
			s.move(&b.Updates[len(b.Updates)-1])
		}
	}
	if len(b.Updates) == 0 && len(b.Telegrams) == 0 {
		return nil
	}
	return b
}

// move fills n, whose slices are used again, and makes the slot old.
func (s *slot) move(n *MeterUpdate) {
	values, events := n.Values[:0], append(n.Events[:0], s.Events...)
	*n = s.MeterUpdate
	n.Values, n.Events = values, events
	s.given = len(s.Events)
	for id := range s.fresh {
		if s.fresh[id] {
			n.Values = append(n.Values, s.values[id])
		}
	}
	s.fresh = [maxQuantities]bool{}
	s.DescriptionNew, s.OnlineNew, s.DescriptorsNew, s.StatsNew, s.anyNew = false, false, false, false, false
}

// update is what a meter gives to its feeds at once, so that it is never seen online without values.
type update struct {
	values      []Value
	again       []quantity.ID // values that are to be published once more as they are
	descriptors []Descriptor  // all of them; nil where nothing has changed
	gone        []quantity.ID // that are sent no longer
	state       *condition    // nil where there is nothing to tell
}

// wantsWhole tells, once, if the next telegram is wanted whole.
func (f *Feed) wantsWhole(meter int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	whole := s.whole
	s.whole = false
	return whole
}

// put takes what is new of a meter. It never blocks, and keeps no slice but descriptors.
func (f *Feed) put(meter int, u update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	for i := range u.values {
		id := u.values[i].ID
		s.values[id], s.fresh[id], s.have[id] = u.values[i], true, true
	}
	for _, id := range u.again {
		s.fresh[id] = s.have[id]
	}
	for _, id := range u.gone {
		s.have[id], s.fresh[id] = false, false
	}
	if u.descriptors != nil {
		s.Descriptors, s.DescriptorsNew = u.descriptors, true
	}
	if st := u.state; st != nil {
		s.OnlineNew = s.OnlineNew || s.Online != st.online
		s.DescriptionNew = s.DescriptionNew || s.Description != st.about
		s.Description, s.Online, s.Stats, s.StatsNew = st.about, st.online, st.stats, true
	}
	s.anyNew = true
	f.wake()
}

// Store is where an output keeps what must survive a restart, under a key of its own; nil, which remembers nothing, where
// there is none.
func (f *Feed) Store() *state.Store { return f.memory }

// Instance tells this bridge from others; nil where nothing is remembered.
func (f *Feed) Instance() *Instance { return f.instance }
