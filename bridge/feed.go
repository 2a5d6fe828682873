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

// A Feed is one output's view of all meters. It holds the newest value of every quantity, and which values the output has not taken yet. Therefore
// an output that is slow or interrupted for days does not slow a meter, and misses no quantity. Only the goroutine of the output calls the
// methods of its Feed; Health is also safe for concurrent use.
type Feed struct {
	mu     sync.Mutex
	slots  []slot
	signal chan struct{} // has a value if there may be a new Batch

	health          *progress.Group
	progress        *progress.Reporter // of the output
	store           *state.Store
	instance        *Instance
	journal         *journal
	cursor          atomic.Uint64 // number of the last telegram in the journal that was delivered
	telegramsTaken  uint64        // number of the last telegram that was taken; it counts as delivered at the next Take
	batch           Batch
	interrupted     bool      // see TakeInterrupted; only for the goroutine of the output
	undelivered     bool      // a batch was taken and is not delivered yet
	deliveringSince time.Time // when the output first delivered since Output.Run was called; zero before that. Only for the goroutine of the output
}

// TakeInterrupted reports whether an interruption of this output was logged, and clears the flag. The output then logs that it is connected
// again.
func (f *Feed) TakeInterrupted() bool {
	interrupted := f.interrupted
	f.interrupted = false
	return interrupted
}

// slot holds the data of one meter.
type slot struct {
	MeterUpdate       // its Values are unused; its Events wait for Take
	anyNew       bool // there is an update
	allRequested bool // all values of the next telegram must be published, also those that the throttle would withhold
	values       [maxQuantities]Value
	have         [maxQuantities]bool // there is a value of the quantity
	fresh        [maxQuantities]bool // there is a value that the output has not taken
	eventsTaken  int                 // how many of Events were taken; they count as delivered at the next Take
}

// meterState is the state of a meter besides its values.
type meterState struct {
	description Description
	online      bool
	stats       Stats
}

// A Batch holds the updates since the last Take. It belongs to the Feed; see Take.
type Batch struct {
	// Updates has an entry for each meter with an update besides telegrams, in the order of the configuration.
	Updates []MeterUpdate
	// Telegrams are complete telegrams of all meters, in the order in which they arrived.
	Telegrams []Telegram
	// Lost is the number of telegrams that the output has missed because it was too slow.
	Lost uint64
}

// A MeterUpdate is the update of one meter.
type MeterUpdate struct {
	Meter Meter
	// Description is set in every update; DescriptionNew is true if the description has changed. The same holds for Online and OnlineNew, and for
	// Stats and StatsNew.
	Description    Description
	DescriptionNew bool
	Online         bool
	// OnlineNew is true also in the first update, and in the first one after Resync.
	OnlineNew bool
	Stats     Stats
	StatsNew  bool
	// Values are the new values, in the order of the table of quantities.
	Values []Value
	// Descriptors are all quantities that the meter sends, also those of an earlier run. DescriptorsNew is true if they have changed. The slice
	// is read-only.
	Descriptors    []Descriptor
	DescriptorsNew bool
	// Events are the events that were not delivered yet, in order.
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

// Ready returns a channel that has a value if there is a new Batch. It may also have a value if there is none; Take then returns nil. The call
// also reports that the output waits from now on, for any time, and is not stuck. So call Ready again before each wait.
func (f *Feed) Ready() <-chan struct{} {
	f.progress.Note("") // removes the note about an interruption, which is over
	f.progress.Waiting()
	return f.signal
}

// Progress reports that the output has made progress in its work. An output that works for two minutes without calling Progress, Take or
// Ready counts as stuck.
func (f *Feed) Progress() { f.progress.Working() }

// Health returns the status of all goroutines of the bridge. It takes no lock that a stuck goroutine could hold.
func (f *Feed) Health() []progress.Status { return f.health.Statuses() }

// Take returns the updates since the last Take; nil if there are none. It never blocks. The Batch belongs to the Feed and is valid until the next
// Take. The next Take also confirms that the Batch was delivered, so call Take until it returns nil.
func (f *Feed) Take() *Batch {
	if f.cursor.Swap(f.telegramsTaken) != f.telegramsTaken {
		f.journal.signalDelivered()
	}
	f.progress.Working()
	if f.undelivered && f.deliveringSince.IsZero() {
		f.deliveringSince = time.Now()
	}
	b := f.collect()
	f.undelivered = b != nil
	return b
}

// Resync makes the next Take return everything again, for an output that has reconnected: all values, states and descriptions, and the
// telegrams and events of the last Batch if it was not delivered. Values that the throttle withheld follow with the next telegram.
func (f *Feed) Resync() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.telegramsTaken, f.undelivered = f.cursor.Load(), false
	for i := range f.slots {
		s := &f.slots[i]
		s.fresh, s.eventsTaken, s.allRequested = s.have, 0, true
		s.DescriptionNew, s.OnlineNew, s.DescriptorsNew, s.StatsNew, s.anyNew = true, true, true, true, true
	}
	f.wake()
}

// Meter returns the meter with an index, as in Telegram.Meter.
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

// collect moves the updates into the batch. It returns nil if there are none.
func (f *Feed) collect() *Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := &f.batch
	b.Telegrams, f.telegramsTaken, b.Lost = f.journal.since(f.telegramsTaken, b.Telegrams[:0])
	b.Updates = b.Updates[:0]
	for i := range f.slots {
		s := &f.slots[i]
		s.Events, s.eventsTaken = slices.Delete(s.Events, 0, s.eventsTaken), 0
		if s.anyNew {
			b.Updates = slices.Grow(b.Updates, 1)[:len(b.Updates)+1] // an element beyond the length is reused with its slices
			s.move(&b.Updates[len(b.Updates)-1])
		}
	}
	if len(b.Updates) == 0 && len(b.Telegrams) == 0 {
		return nil
	}
	return b
}

// move moves the update of a slot to n, and reuses the slices of n.
func (s *slot) move(n *MeterUpdate) {
	values, events := n.Values[:0], append(n.Events[:0], s.Events...)
	*n = s.MeterUpdate
	n.Values, n.Events = values, events
	s.eventsTaken = len(s.Events)
	for id := range s.fresh {
		if s.fresh[id] {
			n.Values = append(n.Values, s.values[id])
		}
	}
	s.fresh = [maxQuantities]bool{}
	s.DescriptionNew, s.OnlineNew, s.DescriptorsNew, s.StatsNew, s.anyNew = false, false, false, false, false
}

// update holds the changes that a meter puts into a feed in one step, so that no output sees a meter online without values.
type update struct {
	values      []Value
	repeats     []quantity.ID // values that are published again without a change
	descriptors []Descriptor  // all quantities; nil if they have not changed
	expired     []quantity.ID // quantities that the meter no longer sends
	state       *meterState   // nil if it is not reported
}

// takeAllRequested reports whether all values of the next telegram must be published, and clears the request.
func (f *Feed) takeAllRequested(meter int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	requested := s.allRequested
	s.allRequested = false
	return requested
}

// put adds an update of a meter. It never waits for the output. The feed uses the slice u.descriptors itself, and copies the other slices.
func (f *Feed) put(meter int, u update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	for i := range u.values {
		id := u.values[i].ID
		s.values[id], s.fresh[id], s.have[id] = u.values[i], true, true
	}
	for _, id := range u.repeats {
		s.fresh[id] = s.have[id] // a value that has expired is not repeated
	}
	for _, id := range u.expired {
		s.have[id], s.fresh[id] = false, false
	}
	if u.descriptors != nil {
		s.Descriptors, s.DescriptorsNew = u.descriptors, true
	}
	if st := u.state; st != nil {
		s.OnlineNew = s.OnlineNew || s.Online != st.online
		s.DescriptionNew = s.DescriptionNew || s.Description != st.description
		s.Description, s.Online, s.Stats, s.StatsNew = st.description, st.online, st.stats, true
	}
	s.anyNew = true
	f.wake()
}

// Store returns the store for documents that must survive a restart. Each output uses keys of its own. It is nil, which stores nothing, if the
// bridge has no state.
func (f *Feed) Store() *state.Store { return f.store }

// Instance returns the identity of this bridge; nil if the bridge has no state.
func (f *Feed) Instance() *Instance { return f.instance }
