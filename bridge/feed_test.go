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

// feedModel is a simple model of one feed. It has what the output of the feed must get.
type feedModel struct {
	feed      *Feed
	meters    []meterModel
	delivered uint64 // number of the last telegram that was delivered
	taken     uint64 // number of the last telegram that was taken or was lost
	wakeDue   bool   // there was an update since the output was last woken
}

// meterModel is the model of one meter in a feed.
type meterModel struct {
	have, fresh    map[quantity.ID]int64 // all values, and the values that the output has not taken
	state          meterState
	descriptors    []quantity.ID
	descriptorsNew bool
	onlineNew      bool
	descriptionNew bool
	statsNew       bool
	anyNew         bool // there is an update
	events         []string
	eventsTaken    int // how many of events were taken
}

// feedMachine is the state machine of TestFeed. Meters put updates at random, and outputs take them at random.
type feedMachine struct {
	journal *journal
	outputs []*feedModel
	last    int64  // the last number given to a value or an event; every one gets a new number
	seq     uint64 // number of the last telegram in the journal
}

const (
	modelMeters  = 2
	modelJournal = 4 // how many telegrams the journal holds
)

// newFeedMachine returns two feeds of two meters, and their models.
func newFeedMachine() *feedMachine {
	m := &feedMachine{journal: newJournal(modelJournal)}
	meters := []Meter{{ID: "house"}, {ID: "barn"}}
	for range 2 {
		o := &feedModel{feed: newFeed(meters, m.journal), meters: make([]meterModel, modelMeters), wakeDue: true}
		for i := range o.meters {
			o.meters[i] = meterModel{have: map[quantity.ID]int64{}, fresh: map[quantity.ID]int64{}, onlineNew: true, anyNew: true}
		}
		m.outputs = append(m.outputs, o)
	}
	return m
}

// Put puts a telegram into the feeds, with or without a new state.
func (m *feedMachine) Put(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	drawn := rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 4, rapid.ID).Draw(t, "quantities")
	var values []Value
	for _, id := range drawn {
		m.last++
		values = append(values, Value{ID: quantity.ID(id), Number: obis.Decimal{Coef: m.last}})
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

// put puts an update into the model.
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
		s.descriptors, s.descriptorsNew = nil, true
		for _, d := range u.descriptors {
			s.descriptors = append(s.descriptors, d.ID)
		}
	}
	if st := u.state; st != nil {
		s.onlineNew = s.onlineNew || s.state.online != st.online
		s.descriptionNew = s.descriptionNew || s.state.description != st.description
		s.state, s.statsNew = *st, true
	}
	s.anyNew, o.wakeDue = true, true
}

// Event puts an event into the feeds. If there are more than maxEvents, the oldest is dropped.
func (m *feedMachine) Event(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	m.last++
	e := Event{Name: strconv.FormatInt(m.last, 10)}
	for _, o := range m.outputs {
		o.feed.addEvent(index, e)
		s := &o.meters[index]
		s.events = append(s.events, e.Name)
		if over := len(s.events) - maxEvents; over > 0 {
			s.events, s.eventsTaken = s.events[over:], max(s.eventsTaken-over, 0)
		}
		s.anyNew, o.wakeDue = true, true
	}
}

// Take takes one batch and leaves the rest, as a slow output does.
func (m *feedMachine) Take(t *rapid.T) { m.output(t).take(t, m.seq) }

// Drain takes all batches, as an output does after it was woken.
func (m *feedMachine) Drain(t *rapid.T) {
	o := m.output(t)
	select {
	case <-o.feed.Ready():
		o.wakeDue = false
	default:
		t.Skip("nothing is ready to be taken: rapid draws another step")
	}
	for o.take(t, m.seq) {
	}
}

// Resync calls Resync, as an output does after a reconnect.
func (m *feedMachine) Resync(t *rapid.T) {
	o := m.output(t)
	o.feed.Resync()
	o.taken, o.wakeDue = o.delivered, true
	for i := range o.meters {
		s := &o.meters[i]
		s.fresh, s.eventsTaken = maps.Clone(s.have), 0
		s.descriptorsNew, s.onlineNew, s.descriptionNew, s.statsNew, s.anyNew = true, true, true, true, true
	}
}

// Check checks that each output with an update is woken.
func (m *feedMachine) Check(t *rapid.T) {
	for i, o := range m.outputs {
		if o.wakeDue && len(o.feed.signal) == 0 {
			t.Fatalf("output %d has an update and is not woken", i)
		}
	}
}

func (m *feedMachine) output(t *rapid.T) *feedModel {
	return m.outputs[rapid.IntRange(0, len(m.outputs)-1).Draw(t, "output")]
}

// batchSummary has the content of a batch that is compared with the model.
type batchSummary struct {
	Seqs    []uint64
	Lost    uint64
	Updates []updateSummary
}

// updateSummary has the content of a MeterUpdate that is compared with the model.
type updateSummary struct {
	Meter                                               string
	DescriptionNew, OnlineNew, StatsNew, DescriptorsNew bool
	Description                                         Description
	Online                                              bool
	Telegrams                                           uint64
	Values                                              map[quantity.ID]int64
	Descriptors                                         []quantity.ID
	Events                                              []string
}

// take takes one batch and compares it with the batch of the model. It reports whether there was a batch.
func (o *feedModel) take(t *rapid.T, lastSeq uint64) bool {
	want, ok := o.expect(lastSeq)
	got := o.feed.Take()
	if (got != nil) != ok {
		t.Fatalf("a batch was taken: got %v, want %v", got != nil, ok)
	}
	if got == nil {
		return false
	}
	if diff := cmp.Diff(want, summarise(t, got)); diff != "" {
		t.Fatalf("batch (-want +got):\n%s", diff)
	}
	return true
}

// expect takes the next batch from the model and returns it, and whether there is one. LastSeq is the number of the last telegram in the journal.
func (o *feedModel) expect(lastSeq uint64) (b batchSummary, ok bool) {
	o.delivered = o.taken
	gone := max(o.taken, lastSeq-min(lastSeq, modelJournal)) // telegrams up to this number were taken, or left the journal before that
	b.Lost = gone - o.taken
	for seq := gone + 1; seq <= lastSeq; seq++ {
		b.Seqs = append(b.Seqs, seq)
	}
	o.taken = lastSeq
	for i := range o.meters {
		s := &o.meters[i]
		s.events, s.eventsTaken = s.events[s.eventsTaken:], 0
		if !s.anyNew {
			continue
		}
		b.Updates = append(b.Updates, updateSummary{
			Meter: []string{"house", "barn"}[i], DescriptionNew: s.descriptionNew, OnlineNew: s.onlineNew, StatsNew: s.statsNew,
			DescriptorsNew: s.descriptorsNew, Description: s.state.description, Online: s.state.online, Telegrams: s.state.stats.Telegrams,
			Values: s.fresh, Descriptors: s.descriptors, Events: append([]string(nil), s.events...),
		})
		*s = meterModel{have: s.have, descriptors: s.descriptors, fresh: map[quantity.ID]int64{}, state: s.state, events: s.events, eventsTaken: len(s.events)}
	}
	return b, len(b.Updates) > 0 || len(b.Seqs) > 0
}

// summarise returns the content of a batch.
func summarise(t *rapid.T, b *Batch) batchSummary {
	s := batchSummary{Seqs: seqs(b.Telegrams), Lost: b.Lost}
	for _, u := range b.Updates {
		s.Updates = append(s.Updates, updateSummary{
			Meter: u.Meter.ID, DescriptionNew: u.DescriptionNew, OnlineNew: u.OnlineNew, StatsNew: u.StatsNew, DescriptorsNew: u.DescriptorsNew,
			Description: u.Description, Online: u.Online, Telegrams: u.Stats.Telegrams, Values: numbers(t, u.Values),
			Descriptors: descriptorIDs(u.Descriptors), Events: eventNames(u.Events),
		})
	}
	return s
}

func descriptorIDs(all []Descriptor) (ids []quantity.ID) {
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	return ids
}

func eventNames(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Name)
	}
	return all
}

// numbers returns the numbers of values, which must be in the order of the table of quantities.
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
		m := newFeedMachine()
		t.Repeat(map[string]func(*rapid.T){
			"put": m.Put, "event": m.Event, "take": m.Take, "drain": m.Drain, "resync": m.Resync, "": m.Check,
		})
	})
}

// TestFeedDropsOldEvents checks that the newest events are delivered if there are more than maxEvents, also after Resync.
func TestFeedDropsOldEvents(t *testing.T) {
	f := newFeed([]Meter{{ID: "house"}}, newJournal(4))
	f.addEvent(0, Event{Name: "first"})
	if got := eventNames(f.Take().Updates[0].Events); !slices.Equal(got, []string{"first"}) { // taken, but not yet delivered: only another Take would confirm that
		t.Fatalf("events of the first Take: got %v, want only the event first", got)
	}
	for i := range 3 * maxEvents {
		f.addEvent(0, Event{Name: strconv.Itoa(i)})
	}
	f.Resync()
	got := eventNames(f.Take().Updates[0].Events)
	if len(got) != maxEvents || got[maxEvents-1] != strconv.Itoa(3*maxEvents-1) {
		t.Errorf("events after Resync: got %v, want the last %d", got, maxEvents)
	}
}

// TestFeedNeverBlocks puts more telegrams into a feed than the journal holds, while no output takes them.
func TestFeedNeverBlocks(t *testing.T) {
	j := newJournal(journalSize)
	f := newFeed([]Meter{{ID: "house"}}, j)
	value := Value{ID: 3}
	for i := range int64(100 * journalSize) {
		value.Number.Coef = i
		j.add(Telegram{Seq: uint64(i + 1)})
		f.put(0, update{values: []Value{value}})
	}
	b := f.Take()
	if len(b.Updates) != 1 || !slices.Equal(b.Updates[0].Values, []Value{value}) {
		t.Errorf("got %v, want only the last value", b.Updates)
	}
	if len(b.Telegrams) != journalSize || b.Lost != 99*journalSize {
		t.Errorf("got %d telegrams and %d lost, want %d and %d", len(b.Telegrams), b.Lost, journalSize, 99*journalSize)
	}
}
