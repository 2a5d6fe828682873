package bridge

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Feed is one output's view of all meters. It keeps the newest value of every quantity and which of them are new, so
// that an output may be slow or away for days: it costs a meter nothing, and loses no quantity. One output takes from it;
// the meters put into it.
type Feed struct {
	mu     sync.Mutex
	slots  []slot
	signal chan struct{} // something is new

	journal *journal
	cursor  atomic.Uint64 // telegrams delivered
	taken   uint64        // telegrams given out, delivered at the next Take
	batch   Batch
}

// slot is what a Feed holds of one meter.
type slot struct {
	meter Meter
	state
	values [maxQuantities]Value
	have   [maxQuantities]bool
	fresh  [maxQuantities]bool

	events []Event // not delivered yet
	given  int     // how many of them have been given out, delivered at the next Take

	aboutFresh, onlineFresh, knownFresh, statsFresh, anyFresh bool
}

// state is what is known of a meter besides its values.
type state struct {
	about  About
	online bool
	stats  Stats
}

// A Batch is what is new since the last Take.
type Batch struct {
	// News has an entry for each meter of which anything but a telegram is new.
	News []News
	// Telegrams are whole telegrams in the order in which they came.
	Telegrams []Telegram
	// Lost counts telegrams that went unread because the output was too slow.
	Lost uint64
}

// News is what is new of one meter.
type News struct {
	Meter Meter
	// About is new when AboutNew is set; so on for the others.
	About    About
	AboutNew bool
	Online   bool
	// OnlineNew is set too when nothing has changed but everything is wanted again.
	OnlineNew bool
	Stats     Stats
	StatsNew  bool
	// Values are the new ones, in the order of the table of quantities.
	Values []Value
	// Known are all quantities that the meter has ever sent; filled when KnownNew.
	Known    []Value
	KnownNew bool
	// Events are those that have not been delivered, in order.
	Events []Event
}

func newFeed(meters []Meter, j *journal) *Feed {
	f := &Feed{slots: make([]slot, len(meters)), signal: make(chan struct{}, 1), journal: j}
	for i := range meters {
		s := &f.slots[i]
		s.meter, s.onlineFresh, s.anyFresh = meters[i], true, true
	}
	f.wake()
	j.readers = append(j.readers, f)
	return f
}

// Ready gives a value when something is new. It may give one when nothing is: Take then returns nil.
func (f *Feed) Ready() <-chan struct{} { return f.signal }

// Take returns what is new, nil when nothing is. It never waits. The Batch belongs to the Feed and is valid until the next
// Take, which also says that this one has been delivered: take until there is nothing.
func (f *Feed) Take() *Batch {
	if f.cursor.Swap(f.taken) != f.taken {
		f.journal.progressed()
	}
	return f.collect()
}

// Resync makes everything new again, as after a reconnect: all values, states and descriptions, and the telegrams and events
// of the last Batch where it had not been delivered.
func (f *Feed) Resync() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = f.cursor.Load()
	for i := range f.slots {
		s := &f.slots[i]
		s.fresh, s.given = s.have, 0
		s.aboutFresh, s.onlineFresh, s.knownFresh, s.statsFresh, s.anyFresh = true, true, true, true, true
	}
	f.wake()
}

// Meter returns the meter that a Telegram names by its index.
func (f *Feed) Meter(index int) Meter { return f.slots[index].meter }

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
	n := 0
	for i := range f.slots {
		f.slots[i].eventsDelivered()
		if !f.slots[i].anyFresh {
			continue
		}
		if n == cap(b.News) {
			b.News = append(b.News[:n], News{})
		}
		b.News = b.News[:n+1]
		f.slots[i].move(&b.News[n])
		n++
	}
	b.News = b.News[:n]
	if n == 0 && len(b.Telegrams) == 0 {
		return nil
	}
	return b
}

// move fills n, whose slices are used again, and makes the slot old.
func (s *slot) move(n *News) {
	*n = News{
		Meter: s.meter, About: s.about, AboutNew: s.aboutFresh, Online: s.online, OnlineNew: s.onlineFresh,
		Stats: s.stats, StatsNew: s.statsFresh, KnownNew: s.knownFresh, Values: n.Values[:0], Known: n.Known[:0],
		Events: append(n.Events[:0], s.events...),
	}
	s.given = len(s.events)
	for id := range s.have {
		if !s.have[id] {
			continue
		}
		if s.fresh[id] {
			n.Values = append(n.Values, s.values[id])
		}
		if s.knownFresh {
			n.Known = append(n.Known, s.values[id])
		}
	}
	s.fresh = [maxQuantities]bool{}
	s.aboutFresh, s.onlineFresh, s.knownFresh, s.statsFresh, s.anyFresh = false, false, false, false, false
}

// put hands over the values of one telegram and, where it is not nil, what else is known: both at once, so that a meter is
// never seen online without values. It never blocks.
func (f *Feed) put(meter int, values []Value, st *state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	for i := range values {
		id := values[i].ID
		s.values[id], s.fresh[id] = values[i], true
		if !s.have[id] {
			s.have[id], s.knownFresh = true, true
		}
	}
	if st != nil {
		s.onlineFresh = s.onlineFresh || s.online != st.online
		s.aboutFresh = s.aboutFresh || s.about != st.about
		s.state, s.statsFresh = *st, true
	}
	s.anyFresh = true
	f.wake()
}

// About is what is known of a meter's own description and of its wire.
type About struct {
	Make, Model, Serial, List string
	// Protocol is the framing of its telegrams.
	Protocol string
	// Port and Line are where and how it is read: /dev/ttyUSB0 and 115200 8N1.
	Port, Line string
}

// Stats is what the bridge counts of a meter since its start.
type Stats struct {
	// Telegrams are the verified ones; Errors those that were dropped: damaged, encrypted, or of a kind that is not read.
	Telegrams, Errors uint64
	// Repeated are verified telegrams whose frame counter was not above that of the one before.
	Repeated uint64
	// Last is when the last verified telegram came; zero before the first.
	Last time.Time
	// Interval is the learned time between telegrams.
	Interval time.Duration
}
