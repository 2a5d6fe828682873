package bridge

import (
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
)

// A Subscription passes the data of all meters to one output. Each output has its own throttle, its own cursor in the journal, and its own list of
// events. So nothing that an output does has an effect on another output. An output that is slow or interrupted for days does not slow a meter, and
// misses no quantity.
//
// The output takes batches with Take, and reports with Delivered which of them it has delivered. It can take further batches before that. Only the
// goroutine of the output calls the methods of its Subscription; Health and Snapshots are also safe for concurrent use.
type Subscription struct {
	name    string
	streams Streams
	state   *State
	// signal has a value if there may be a new Batch. outputProgress gets a value when the output has taken or delivered a batch.
	signal, outputProgress chan struct{}

	mu    sync.Mutex // guards the fields below
	feeds map[*record]*feed
	due   []*feed // the meters with an update that the output has not taken, in the order of these updates
	taken uint64  // the number of the last batch
	// inFlight are the batches that were taken and are not delivered, the oldest first.
	inFlight []takenBatch
	// eventFeeds are the meters whose events are in such a batch. A meter can be there twice.
	eventFeeds []*feed

	cursor          *cursor // nil if the output receives no telegrams
	batch           Batch
	health          *progress.Group
	progress        *progress.Reporter // of the output
	store           *state.Store
	instance        func() *Instance
	interrupted     bool      // see TakeInterrupted; only for the goroutine of the output
	deliveringSince time.Time // when the output first delivered since Output.Run was called; zero before that. Only for the goroutine of the output
}

// A takenBatch is a batch that was taken and is not delivered.
type takenBatch struct {
	number uint64
	end    uint64 // the position in the journal after its last telegram
}

// maxTelegrams is how many telegrams a batch has at most. After a long interruption many telegrams wait, and the output confirms them in parts.
const maxTelegrams = 256

// newSubscription returns a Subscription that has no meters yet.
func newSubscription(name string, streams Streams, s *State, j *journal, outputProgress chan struct{}) *Subscription {
	sub := &Subscription{name: name, streams: streams, state: s, signal: make(chan struct{}, 1), outputProgress: outputProgress, feeds: map[*record]*feed{}}
	if streams.Telegrams {
		sub.cursor = j.reader(name)
	}
	return sub
}

// Ready returns a channel that has a value if there is a new Batch. It may also have a value if there is none; Take then returns nil. The call
// also reports that the output waits from now on, for any time, and is not stuck. So call Ready again before each wait.
func (s *Subscription) Ready() <-chan struct{} {
	s.progress.Note("") // removes the note about an interruption, which is over
	s.progress.Waiting()
	return s.signal
}

// Progress reports that the output has made progress in its work. An output that works for two minutes without calling Progress, Take,
// Delivered or Ready counts as stuck.
func (s *Subscription) Progress() { s.progress.Working() }

// Health returns the status of all goroutines of the bridge. It takes no lock that a stuck goroutine could hold.
func (s *Subscription) Health() []progress.Status { return s.health.Statuses() }

// Snapshots returns what is newest of every meter, whether it was published or not.
func (s *Subscription) Snapshots() []Snapshot { return s.state.Snapshots() }

// Meters returns all meters in the order in which they were added.
func (s *Subscription) Meters() []Meter {
	var all []Meter
	for _, r := range s.state.all() {
		all = append(all, r.Meter) // never changes
	}
	return all
}

// TakeInterrupted reports whether an interruption of this output was logged, and clears the flag. The output then logs that it is connected
// again.
func (s *Subscription) TakeInterrupted() bool {
	interrupted := s.interrupted
	s.interrupted = false
	return interrupted
}

// Take returns the updates since the last Take; nil if there are none. It never blocks. The Batch belongs to the Subscription and is valid until the
// next Take. Call Take until it returns nil, because Ready reports several updates only once.
func (s *Subscription) Take() *Batch {
	s.progress.Working()
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.batch
	b.Number = s.taken + 1
	b.Changes, b.Events = b.Changes[:0], b.Events[:0]
	for _, f := range s.due {
		f.isDue = false
		if f.takeEvents(b) {
			s.eventFeeds = append(s.eventFeeds, f)
		}
		if f.changed {
			b.Changes = slices.Grow(b.Changes, 1)[:len(b.Changes)+1] // an element beyond the length is reused with its slice
			f.take(&b.Changes[len(b.Changes)-1])
		}
	}
	clear(s.due) // so that it does not keep meters that were removed
	s.due = s.due[:0]
	t := s.cursor.take(b.Telegrams[:0], maxTelegrams)
	b.Telegrams, b.Again, b.Lost = t.telegrams, t.again, t.lost
	if len(b.Changes) == 0 && len(b.Events) == 0 && len(b.Telegrams) == 0 {
		return nil
	}
	s.taken++
	s.inFlight = append(s.inFlight, takenBatch{s.taken, t.end})
	signal(s.outputProgress)
	return b
}

// Delivered reports that the output has delivered the batch with this number and all batches before it. Until then, Resync makes Take return
// their telegrams and events again.
func (s *Subscription) Delivered(number uint64) {
	s.progress.Working()
	if s.deliveringSince.IsZero() {
		s.deliveringSince = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.inFlight) > 0 && s.inFlight[0].number <= number {
		s.cursor.confirm(s.inFlight[0].end)
		s.inFlight = slices.Delete(s.inFlight, 0, 1)
	}
	s.eventFeeds = slices.DeleteFunc(s.eventFeeds, func(f *feed) bool { return !f.dropEvents(number) })
	signal(s.outputProgress)
}

// Resync makes the next Take return the newest values, states and descriptions of all meters again. An output calls it after it has reconnected, or
// if its receiver has lost them. Telegrams and events that were not delivered come again without it, when Output.Run is called again.
func (s *Subscription) Resync() {
	for _, r := range s.state.all() {
		r.mu.Lock()
		s.mu.Lock()
		if f := s.feeds[r]; f != nil {
			f.resync()
			s.markDue(f)
		}
		signal(s.signal)
		s.mu.Unlock()
		r.mu.Unlock()
	}
}

// rewind makes Take return the telegrams and events again that were not delivered. The bridge calls it before each Output.Run.
func (s *Subscription) rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight, s.eventFeeds = s.inFlight[:0], nil
	for _, f := range s.feeds {
		if len(f.events) > 0 {
			f.rewindEvents()
			s.markDue(f)
		}
	}
	s.cursor.rewind()
	signal(s.signal)
}

// Store returns the store for documents that must survive a restart. Each output uses keys of its own. It is nil, which stores nothing, if the
// bridge has no state.
func (s *Subscription) Store() *state.Store { return s.store }

// Instance returns the identity of this bridge; nil if the bridge has no state. It waits until the identity is on disk.
func (s *Subscription) Instance() *Instance { return s.instance() }

// addMeter adds a meter. The caller holds the lock of its record.
func (s *Subscription) addMeter(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := newFeed(r, s.streams.Plan)
	s.feeds[r] = f
	s.markDue(f)
	signal(s.signal)
}

// removeMeter removes a meter. The next Take returns a last update of it. The caller holds the lock of its record.
func (s *Subscription) removeMeter(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[r]; f != nil {
		delete(s.feeds, r)
		f.remove()
		s.markDue(f)
		signal(s.signal)
	}
}

// apply passes on an update of a meter. It never waits for the output. It returns which counters the output publishes. The caller holds the lock
// of the record, which has the update already.
func (s *Subscription) apply(r *record, u *update) (counters publishedCounters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.feeds[r]
	if f == nil { // the meter was removed
		return counters
	}
	due, counters := f.apply(u)
	if due {
		s.markDue(f)
		signal(s.signal)
	}
	return counters
}

// wakeForTelegram wakes the output after a telegram was added to the journal.
func (s *Subscription) wakeForTelegram() {
	if s.cursor != nil {
		signal(s.signal)
	}
}

// markDue records that the output must take an update of a meter. The caller holds s.mu.
func (s *Subscription) markDue(f *feed) {
	if !f.isDue {
		f.isDue = true
		s.due = append(s.due, f)
	}
}

// caughtUp reports whether the output has taken everything, and whether it has delivered everything. An output that receives neither values nor
// telegrams has always caught up.
func (s *Subscription) caughtUp() (allTaken, allDelivered bool) {
	if s.streams == (Streams{}) {
		return true, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	allTaken, allDelivered = s.cursor.progress()
	allTaken = allTaken && len(s.due) == 0
	return allTaken, allTaken && allDelivered && len(s.inFlight) == 0
}
