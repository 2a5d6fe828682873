package bridge

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// feedModel is a simple model of one feed: what its output must get.
type feedModel struct {
	feed      *Feed
	meters    []meterModel
	delivered uint64 // number of the last telegram that was delivered
	taken     uint64 // number of the last telegram that was taken
	signalled bool   // there is an update for which the output was not woken
}

type meterModel struct {
	have, fresh      map[quantity.ID]int64
	state            meterState
	descriptors      []quantity.ID
	descriptorsFresh bool
	onlineFresh      bool
	aboutFresh       bool
	statsFresh       bool
	updated          bool
	events           []string
	eventsTaken      int // how many of events were taken
}

// feedsModel is the state machine of the test: meters put updates at random, and outputs take them at random.
type feedsModel struct {
	journal *journal
	outputs []*feedModel
	next    int64 // the next number; all numbers are different
	seq     uint64
}

const (
	modelMeters  = 2
	modelJournal = 4
)

func newFeedsModel() *feedsModel {
	m := &feedsModel{journal: newJournal(modelJournal)}
	meters := []Meter{{ID: "house"}, {ID: "barn"}}
	for range 2 {
		o := &feedModel{feed: newFeed(meters, m.journal), meters: make([]meterModel, modelMeters), signalled: true}
		for i := range o.meters {
			o.meters[i] = meterModel{have: map[quantity.ID]int64{}, fresh: map[quantity.ID]int64{}, onlineFresh: true, updated: true}
		}
		m.outputs = append(m.outputs, o)
	}
	return m
}

// Put puts a telegram into the feeds, with or without a new state.
func (m *feedsModel) Put(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	ids := rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 4, rapid.ID).Draw(t, "quantities")
	var values []Value
	for _, id := range ids {
		m.next++
		values = append(values, Value{ID: quantity.ID(id), Number: obis.Decimal{Coef: m.next}})
	}
	var st *meterState
	if rapid.Bool().Draw(t, "state") {
		st = &meterState{
			online:      rapid.Bool().Draw(t, "online"),
			description: Description{Model: rapid.SampledFrom([]string{"", "6534"}).Draw(t, "model")},
			stats:       Stats{Telegrams: m.seq},
		}
	}
	m.seq++
	m.journal.add(Telegram{Meter: index, Seq: m.seq, Values: values})
	u := update{values: values, state: st, repeats: drawIDs(t, "repeats"), expired: drawIDs(t, "expired")}
	if rapid.Bool().Draw(t, "with descriptors") {
		u.descriptors = []Descriptor{}
		for _, id := range drawIDs(t, "descriptors") {
			u.descriptors = append(u.descriptors, Descriptor{ID: id})
		}
	}
	for _, o := range m.outputs {
		o.feed.put(index, u)
		o.put(index, u)
	}
}

func drawIDs(t *rapid.T, label string) (ids []quantity.ID) {
	for _, id := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 2, rapid.ID).Draw(t, label) {
		ids = append(ids, quantity.ID(id))
	}
	return ids
}

func (o *feedModel) put(index int, u update) {
	s := &o.meters[index]
	for _, v := range u.values {
		s.have[v.ID], s.fresh[v.ID] = v.Number.Coef, v.Number.Coef
	}
	for _, id := range u.repeats {
		if old, ok := s.have[id]; ok {
			s.fresh[id] = old
		}
	}
	for _, id := range u.expired {
		delete(s.have, id)
		delete(s.fresh, id)
	}
	if u.descriptors != nil {
		s.descriptors, s.descriptorsFresh = nil, true
		for _, k := range u.descriptors {
			s.descriptors = append(s.descriptors, k.ID)
		}
	}
	if st := u.state; st != nil {
		s.onlineFresh = s.onlineFresh || s.state.online != st.online
		s.aboutFresh = s.aboutFresh || s.state.description != st.description
		s.state, s.statsFresh = *st, true
	}
	s.updated, o.signalled = true, true
}

// Event puts an event into the feeds. The oldest of too many are dropped.
func (m *feedsModel) Event(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	m.next++
	e := Event{Name: strconv.FormatInt(m.next, 10)}
	for _, o := range m.outputs {
		o.feed.event(index, e)
		s := &o.meters[index]
		s.events = append(s.events, e.Name)
		if over := len(s.events) - maxEvents; over > 0 {
			s.events, s.eventsTaken = s.events[over:], max(s.eventsTaken-over, 0)
		}
		s.updated, o.signalled = true, true
	}
}

// Take takes one batch, as an output does that is slow or loses its connection then.
func (m *feedsModel) Take(t *rapid.T) { m.output(t).take(t, m.seq) }

// Drain takes all batches, as an output does that was woken.
func (m *feedsModel) Drain(t *rapid.T) {
	o := m.output(t)
	select {
	case <-o.feed.Ready():
		o.signalled = false
	default:
		t.Skip("nothing is ready") // the state machine draws another step
	}
	for o.take(t, m.seq) {
	}
}

// Resync calls Resync, as an output does after a reconnect.
func (m *feedsModel) Resync(t *rapid.T) {
	o := m.output(t)
	o.feed.Resync()
	o.taken, o.signalled = o.delivered, true
	for i := range o.meters {
		s := &o.meters[i]
		s.fresh, s.eventsTaken = maps.Clone(s.have), 0
		s.descriptorsFresh, s.onlineFresh, s.aboutFresh, s.statsFresh, s.updated = true, true, true, true, true
	}
}

// Check checks that each output with an update is woken.
func (m *feedsModel) Check(t *rapid.T) {
	for i, o := range m.outputs {
		if o.signalled && len(o.feed.signal) == 0 {
			t.Fatalf("output %d has an update and is not woken", i)
		}
	}
}

func (m *feedsModel) output(t *rapid.T) *feedModel {
	return m.outputs[rapid.IntRange(0, len(m.outputs)-1).Draw(t, "output")]
}

// batchSummary has the content of a batch that is compared with the model.
type batchSummary struct {
	Seqs    []uint64
	Lost    uint64
	Updates []updateSummary
}

type updateSummary struct {
	Meter                             string
	About, Online, Stats, Descriptors bool
	State                             Description
	IsOnline                          bool
	Counted                           uint64
	Values                            map[quantity.ID]int64
	AllDescriptors                    []quantity.ID
	Events                            []string
}

// take compares one batch with that of the model, and reports whether there was one.
func (o *feedModel) take(t *rapid.T, written uint64) bool {
	want, ok := o.expect(written)
	got := o.feed.Take()
	if (got != nil) != ok {
		t.Fatalf("a batch: got %v, want %v", got != nil, ok)
	}
	if got == nil {
		return false
	}
	if diff := cmp.Diff(want, summarise(t, got)); diff != "" {
		t.Fatalf("batch (-want +got):\n%s", diff)
	}
	return true
}

// expect returns the next batch of the model, and whether there is one.
func (o *feedModel) expect(written uint64) (h batchSummary, ok bool) {
	o.delivered = o.taken
	from := max(o.taken, written-min(written, modelJournal))
	h.Lost = from - o.taken
	for seq := from + 1; seq <= written; seq++ {
		h.Seqs = append(h.Seqs, seq)
	}
	o.taken = written
	for i := range o.meters {
		s := &o.meters[i]
		s.events, s.eventsTaken = s.events[s.eventsTaken:], 0
		if !s.updated {
			continue
		}
		n := updateSummary{
			Meter: []string{"house", "barn"}[i], About: s.aboutFresh, Online: s.onlineFresh, Stats: s.statsFresh, Descriptors: s.descriptorsFresh,
			State: s.state.description, IsOnline: s.state.online, Counted: s.state.stats.Telegrams, Values: s.fresh,
			AllDescriptors: s.descriptors, Events: append([]string(nil), s.events...),
		}
		h.Updates = append(h.Updates, n)
		*s = meterModel{have: s.have, descriptors: s.descriptors, fresh: map[quantity.ID]int64{}, state: s.state, events: s.events, eventsTaken: len(s.events)}
	}
	return h, len(h.Updates) > 0 || len(h.Seqs) > 0
}

// summarise returns the content of a batch.
func summarise(t *rapid.T, b *Batch) batchSummary {
	h := batchSummary{Seqs: seqs(b.Telegrams), Lost: b.Lost}
	for _, n := range b.Updates {
		h.Updates = append(h.Updates, updateSummary{
			Meter: n.Meter.ID, About: n.DescriptionNew, Online: n.OnlineNew, Stats: n.StatsNew, Descriptors: n.DescriptorsNew,
			State: n.Description, IsOnline: n.Online, Counted: n.Stats.Telegrams, Values: numbers(t, n.Values), AllDescriptors: ids(n.Descriptors),
			Events: names(n.Events),
		})
	}
	return h
}

func ids(all []Descriptor) (ids []quantity.ID) {
	for _, k := range all {
		ids = append(ids, k.ID)
	}
	return ids
}

func names(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Name)
	}
	return all
}

func numbers(t *rapid.T, values []Value) map[quantity.ID]int64 {
	if !slices.IsSortedFunc(values, func(a, b Value) int { return int(a.ID) - int(b.ID) }) {
		t.Fatalf("values are not in the order of the table: %v", values)
	}
	all := map[quantity.ID]int64{}
	for _, v := range values {
		all[v.ID] = v.Number.Coef
	}
	return all
}

// TestFeed compares two feeds with their models in random steps.
func TestFeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newFeedsModel()
		t.Repeat(map[string]func(*rapid.T){
			"put": m.Put, "event": m.Event, "take": m.Take, "drain": m.Drain, "resync": m.Resync, "": m.Check,
		})
	})
}

// TestFeedDropsOldEvents checks that the last events are kept if there are more than the limit.
func TestFeedDropsOldEvents(t *testing.T) {
	f := newFeed([]Meter{{ID: "house"}}, newJournal(4))
	f.event(0, Event{Name: "first"})
	if got := names(f.Take().Updates[0].Events); !slices.Equal(got, []string{"first"}) { // taken, and not yet delivered
		t.Fatalf("got %v, want the first", got)
	}
	for i := range 3 * maxEvents {
		f.event(0, Event{Name: strconv.Itoa(i)})
	}
	f.Resync()
	got := names(f.Take().Updates[0].Events)
	if len(got) != maxEvents || got[maxEvents-1] != strconv.Itoa(3*maxEvents-1) {
		t.Errorf("got %v, want the last %d", got, maxEvents)
	}
}

// TestFeedNeverBlocks puts more telegrams than the journal holds, without an output that takes them.
func TestFeedNeverBlocks(t *testing.T) {
	j := newJournal(journalSize)
	f := newFeed([]Meter{{ID: "house"}}, j)
	last := Value{ID: 3}
	for i := range int64(100 * journalSize) {
		last.Number.Coef = i
		j.add(Telegram{Seq: uint64(i + 1)})
		f.put(0, update{values: []Value{last}})
	}
	b := f.Take()
	if len(b.Updates) != 1 || !slices.Equal(b.Updates[0].Values, []Value{last}) {
		t.Errorf("got %v, want the last value alone", b.Updates)
	}
	if len(b.Telegrams) != journalSize || b.Lost != 99*journalSize {
		t.Errorf("got %d telegrams and %d lost, want %d and %d", len(b.Telegrams), b.Lost, journalSize, 99*journalSize)
	}
}
