package bridge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// subscriptionModel is a simple model of one Subscription. It has what the output must get.
type subscriptionModel struct {
	subscription *Subscription
	meters       []meterModel
	next         uint64       // the number of the next telegram that must be taken
	confirmed    uint64       // the number of the last telegram that was delivered
	batches      []takenModel // the batches that were taken and are not delivered
	wakeDue      bool         // there was an update since the output was last woken
}

// takenModel is a batch in the model.
type takenModel struct{ number, lastTelegram uint64 }

// meterModel is the model of one meter in a Subscription.
type meterModel struct {
	have, fresh    map[quantity.ID]int64 // all values, and the values that the output has not taken
	online         bool
	telegrams      uint64 // in the last reported Stats
	descriptors    []quantity.ID
	descriptorsNew bool
	onlineNew      bool
	statsNew       bool
	reported       bool // the state was reported
	changed        bool // there is an update besides events
	events         []eventModel
}

// eventModel is an event that was not delivered.
type eventModel struct {
	name  string
	batch uint64 // in which it was taken; 0 if it was not taken
}

// subscriptionMachine is the state machine of TestSubscription. Meters pass updates at random, and outputs take, deliver and reconnect at random.
type subscriptionMachine struct {
	bridge  *Bridge
	records []*record
	outputs []*subscriptionModel
	last    int64  // the last number given to a value or an event; every one gets a new number
	seq     uint64 // number of the last telegram in the journal
}

const (
	modelMeters  = 2
	modelJournal = 4 // how many telegrams without values the journal holds
)

// newSubscriptionMachine returns a bridge with two meters and two outputs, and the models of the outputs.
func newSubscriptionMachine() *subscriptionMachine {
	m := &subscriptionMachine{bridge: New(zerolog.Nop())}
	m.bridge.journal = newJournal(modelJournal * sizeOf(&Telegram{}))
	for _, id := range []string{"house", "barn"} {
		m.records = append(m.records, &record{Snapshot: Snapshot{Meter: Meter{ID: id}}})
		m.bridge.state.add(m.records[len(m.records)-1])
	}
	for i := range 2 {
		s := newSubscription(strconv.Itoa(i), Streams{new(throttle.Plan), true}, &m.bridge.state, m.bridge.journal, m.bridge.outputProgress)
		o := &subscriptionModel{subscription: s, meters: make([]meterModel, modelMeters), next: 1, wakeDue: true}
		for k, r := range m.records {
			s.addMeter(r)
			o.meters[k] = meterModel{have: map[quantity.ID]int64{}, fresh: map[quantity.ID]int64{}, onlineNew: true, changed: true}
		}
		m.bridge.outputs = append(m.bridge.outputs, namedOutput{nil, s})
		m.outputs = append(m.outputs, o)
	}
	return m
}

// Pass passes an update with values on, with or without descriptors, and makes the meter online or offline. The values have no telegram, so that all
// telegrams in the journal have the same size.
func (m *subscriptionMachine) Pass(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	u := &update{at: start, expired: drawIDs(t, "expired")}
	for _, id := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 4, rapid.ID).Draw(t, "quantities") {
		m.last++
		u.earlier = append(u.earlier, Value{ID: quantity.ID(id), Number: obis.Decimal{Coef: m.last}})
	}
	if rapid.Bool().Draw(t, "with descriptors") {
		u.descriptors = []Descriptor{}
		for _, id := range drawIDs(t, "descriptors") {
			u.descriptors = append(u.descriptors, Descriptor{ID: id})
		}
	}
	r := m.records[index]
	r.Online = rapid.Bool().Draw(t, "online")
	r.Stats.Telegrams++
	m.bridge.pass(r, u)
	for _, o := range m.outputs {
		o.pass(index, u, r)
	}
}

// Telegram passes a telegram without values on.
func (m *subscriptionMachine) Telegram(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	m.seq++
	u := &update{at: start, telegram: &Telegram{Meter: m.records[index].Meter.ID, Seq: m.seq}}
	m.bridge.pass(m.records[index], u)
	for _, o := range m.outputs {
		o.pass(index, u, m.records[index])
		o.wakeDue = true
	}
}

// Event passes an event on. If there are more than maxEvents, the oldest is dropped.
func (m *subscriptionMachine) Event(t *rapid.T) {
	index := rapid.IntRange(0, modelMeters-1).Draw(t, "meter")
	m.last++
	u := &update{at: start, events: []Event{{Name: strconv.FormatInt(m.last, 10)}}}
	m.bridge.pass(m.records[index], u)
	for _, o := range m.outputs {
		o.pass(index, u, m.records[index])
		s := &o.meters[index]
		s.events = append(s.events, eventModel{u.events[0].Name, 0})
		s.events = s.events[max(0, len(s.events)-maxEvents):]
		o.wakeDue = true
	}
}

func drawIDs(t *rapid.T, label string) (ids []quantity.ID) {
	for _, id := range rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 0, 2, rapid.ID).Draw(t, label) {
		ids = append(ids, quantity.ID(id))
	}
	return ids
}

// pass passes an update to the model.
func (o *subscriptionModel) pass(index int, u *update, r *record) {
	s := &o.meters[index]
	for _, v := range u.earlier {
		s.have[v.ID], s.fresh[v.ID] = v.Number.Coef, v.Number.Coef
		s.changed, o.wakeDue = true, true
	}
	for _, id := range u.expired {
		delete(s.have, id)
		delete(s.fresh, id)
	}
	if u.descriptors != nil {
		s.descriptors, s.descriptorsNew, s.changed, o.wakeDue = nil, true, true, true
		for _, d := range u.descriptors {
			s.descriptors = append(s.descriptors, d.ID)
		}
	}
	if !s.reported || s.online != r.Online {
		s.onlineNew = s.onlineNew || s.online != r.Online
		s.online, s.telegrams, s.statsNew, s.reported, s.changed, o.wakeDue = r.Online, r.Stats.Telegrams, true, true, true, true
	}
}

// Take takes one batch and leaves the rest, as a slow output does.
func (m *subscriptionMachine) Take(t *rapid.T) { m.output(t).take(t, m.seq) }

// Drain takes all batches, as an output does after it was woken.
func (m *subscriptionMachine) Drain(t *rapid.T) {
	o := m.output(t)
	select {
	case <-o.subscription.Ready():
		o.wakeDue = false
	default:
		return // the output waits
	}
	for o.take(t, m.seq) {
	}
}

// Deliver confirms one of the batches that were taken, and with it all before it.
func (m *subscriptionMachine) Deliver(t *rapid.T) {
	o := m.output(t)
	if len(o.batches) == 0 {
		return // the output has delivered all that it has taken
	}
	n := rapid.IntRange(0, len(o.batches)-1).Draw(t, "batch")
	b := o.batches[n]
	o.subscription.Delivered(b.number)
	o.confirmed = max(o.confirmed, b.lastTelegram)
	o.batches = o.batches[n+1:]
	for i := range o.meters {
		s := &o.meters[i]
		s.events = slices.DeleteFunc(s.events, func(e eventModel) bool { return e.batch > 0 && e.batch <= b.number })
	}
}

// Interrupt makes the output run again after an error, as the bridge does. An output can then report a batch of the earlier run.
func (m *subscriptionMachine) Interrupt(t *rapid.T) {
	o := m.output(t)
	o.subscription.rewind()
	if len(o.batches) > 0 {
		o.subscription.Delivered(o.batches[0].number)
	}
	o.batches, o.next, o.wakeDue = nil, o.confirmed+1, true
	for i := range o.meters {
		for k := range o.meters[i].events {
			o.meters[i].events[k].batch = 0
		}
	}
}

// Resync calls Resync, as an output does after a reconnect, or if its receiver has lost everything.
func (m *subscriptionMachine) Resync(t *rapid.T) {
	o := m.output(t)
	o.subscription.Resync()
	o.wakeDue = true
	for i := range o.meters {
		s := &o.meters[i]
		s.fresh = maps.Clone(s.have)
		s.descriptorsNew, s.onlineNew, s.statsNew, s.changed = true, true, true, true
	}
}

// Check checks that each output with an update is woken.
func (m *subscriptionMachine) Check(t *rapid.T) {
	for i, o := range m.outputs {
		if o.wakeDue && len(o.subscription.signal) == 0 {
			t.Fatalf("output %d has an update and is not woken", i)
		}
	}
}

func (m *subscriptionMachine) output(t *rapid.T) *subscriptionModel {
	return m.outputs[rapid.IntRange(0, len(m.outputs)-1).Draw(t, "output")]
}

// batchSummary has the content of a batch that is compared with the model.
type batchSummary struct {
	Seqs    []uint64
	Lost    uint64
	Events  map[string][]string      // by meter
	Changes map[string]changeSummary // by meter
}

// changeSummary has the content of a MeterUpdate that is compared with the model.
type changeSummary struct {
	OnlineNew, StatsNew, DescriptorsNew bool
	Online                              bool
	Telegrams                           uint64
	Values                              map[quantity.ID]int64
	Descriptors                         []quantity.ID
}

// take takes one batch and compares it with the batch of the model. It reports whether there was a batch.
func (o *subscriptionModel) take(t *rapid.T, lastSeq uint64) bool {
	got := o.subscription.Take()
	want, ok := o.expect(got, lastSeq)
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

// expect takes the next batch from the model and returns it, and whether there is one. Got gives the number of the batch. LastSeq is the number of
// the last telegram in the journal.
func (o *subscriptionModel) expect(got *Batch, lastSeq uint64) (b batchSummary, ok bool) {
	var number uint64
	if got != nil {
		number = got.Number
	}
	oldest := lastSeq - min(lastSeq, modelJournal) + 1
	if o.next < oldest {
		b.Lost, o.next = oldest-o.next, oldest
		o.confirmed = max(o.confirmed, oldest-1)
	}
	for ; o.next <= lastSeq; o.next++ {
		b.Seqs = append(b.Seqs, o.next)
	}
	b.Changes, b.Events = map[string]changeSummary{}, map[string][]string{}
	for i := range o.meters {
		s, id := &o.meters[i], []string{"house", "barn"}[i]
		for k := range s.events {
			if s.events[k].batch == 0 {
				b.Events[id] = append(b.Events[id], s.events[k].name)
				s.events[k].batch = number
			}
		}
		if !s.changed {
			continue
		}
		b.Changes[id] = changeSummary{
			OnlineNew: s.onlineNew, StatsNew: s.statsNew, DescriptorsNew: s.descriptorsNew, Online: s.online, Telegrams: s.telegrams,
			Values: s.fresh, Descriptors: s.descriptors,
		}
		s.fresh, s.onlineNew, s.statsNew, s.descriptorsNew, s.changed = map[quantity.ID]int64{}, false, false, false, false
	}
	if ok = len(b.Changes) > 0 || len(b.Events) > 0 || len(b.Seqs) > 0; ok {
		o.batches = append(o.batches, takenModel{number, o.next - 1})
	}
	return b, ok
}

// summarise returns the content of a batch.
func summarise(t *rapid.T, b *Batch) batchSummary {
	s := batchSummary{Seqs: seqs(b.Telegrams), Lost: b.Lost, Events: map[string][]string{}, Changes: map[string]changeSummary{}}
	for _, e := range b.Events {
		s.Events[e.Meter] = append(s.Events[e.Meter], e.Name)
	}
	for _, u := range b.Changes {
		s.Changes[u.Meter.ID] = changeSummary{
			OnlineNew: u.OnlineNew, StatsNew: u.StatsNew, DescriptorsNew: u.DescriptorsNew, Online: u.Online, Telegrams: u.Stats.Telegrams,
			Values: numbers(t, u.Values), Descriptors: descriptorIDs(u.Descriptors),
		}
	}
	return s
}

func descriptorIDs(all []Descriptor) (ids []quantity.ID) {
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	return ids
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

// TestSubscription compares two Subscriptions with their models in random steps.
func TestSubscription(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newSubscriptionMachine()
		t.Repeat(map[string]func(*rapid.T){
			"pass": m.Pass, "telegram": m.Telegram, "event": m.Event, "take": m.Take, "drain": m.Drain, "deliver": m.Deliver, "interrupt": m.Interrupt, "resync": m.Resync,
			"": m.Check,
		})
	})
}

// TestEventsAreBounded checks that an output that takes nothing gets the last events of a meter, and only these.
func TestEventsAreBounded(t *testing.T) {
	m := newSubscriptionMachine()
	for i := range 3 * maxEvents {
		m.bridge.pass(m.records[0], &update{at: start, events: []Event{{Name: strconv.Itoa(i)}}})
	}
	got := m.outputs[0].subscription.Take().Events
	if len(got) != maxEvents || got[0].Name != strconv.Itoa(2*maxEvents) || got[0].Meter != "house" {
		t.Errorf("got %d events, the first is %+v, want the last %d", len(got), got[0], maxEvents)
	}
}

// TestJournalGrowsWithMeters checks that a bridge with many meters has a larger journal, until they are removed.
func TestJournalGrowsWithMeters(t *testing.T) {
	b := New(zerolog.Nop())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.startMeters(ctx)
	before := b.journal.limit
	silent := probe.Source{Endpoints: func() ([]probe.Endpoint, error) { return nil, errors.New("no port") }}
	for _, id := range []string{"house", "barn"} {
		if err := b.AddMeter(Meter{ID: id}, silent); err != nil {
			t.Fatal(err)
		}
	}
	if grown := b.journal.limit - before; grown != 2*journalPerMeter {
		t.Errorf("with two meters: the limit has grown by %d, want %d", grown, 2*journalPerMeter)
	}
	b.RemoveMeter("house")
	if grown := b.journal.limit - before; grown != journalPerMeter {
		t.Errorf("after a removal: the limit has grown by %d, want %d", grown, journalPerMeter)
	}
	b.RemoveMeter("barn")
}

// TestSubscriptionTakesPartsOfBacklog checks that many telegrams are taken in several batches, which are confirmed one by one.
func TestSubscriptionTakesPartsOfBacklog(t *testing.T) {
	b := New(zerolog.Nop())
	s := newSubscription("tested", Streams{Telegrams: true}, &b.state, b.journal, b.outputProgress)
	for seq := range uint64(2*maxTelegrams + 1) {
		b.journal.append(&Telegram{Seq: seq + 1, Received: time.Now()})
	}
	for i, want := range []int{maxTelegrams, maxTelegrams, 1} {
		batch := s.Take()
		if batch == nil || len(batch.Telegrams) != want {
			t.Fatalf("batch %d: got %v, want %d telegrams", i+1, batch, want)
		}
		s.Delivered(batch.Number)
	}
	if batch := s.Take(); batch != nil || len(b.journal.held()) > 0 {
		t.Errorf("after everything was delivered: got %v and %d telegrams in the journal, want none", batch, len(b.journal.held()))
	}
}
