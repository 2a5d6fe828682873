package mqtt

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A survey hears what a broker holds of this bridge's announcements where no memory tells: an earlier run may have announced
// them in another style, and a hub must never hear both. Nothing is published before it is over.
type survey struct {
	timer *time.Timer

	mu    sync.Mutex
	found []discovery.Message
	seen  int // of them when last asked
}

// settled is how long a broker is silent when it has sent all that it holds: it does so right behind its answer.
const settled = 100 * time.Millisecond

// done gives a value when the broker may have said all.
func (v *survey) done() <-chan time.Time {
	if v == nil {
		return nil
	}
	return v.timer.C
}

// hear runs on the connection's goroutines.
func (v *survey) hear(m broker.Message) {
	if !m.Retain || len(m.Payload) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.found = append(v.found, discovery.Message{Topic: m.Topic, Payload: m.Payload})
}

// heard returns all that was heard, and whether it is more than at the last call.
func (v *survey) heard() (all []discovery.Message, news bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	news, v.seen = len(v.found) > v.seen, len(v.found)
	return v.found, news
}

// ownDevice is by what id the bridge's own device is announced.
const ownDevice = "bridge"

// asked are the filters of a survey: of the devices of this bridge alone, since others may have announced thousands.
func (s *session) asked() (filters []string) {
	for _, m := range append(s.feed.Meters(), bridge.Meter{ID: ownDevice}) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+m.ID)...)
	}
	return filters
}

// ask begins a survey, once in the life of an output whose memory is too young to be believed. A broker that does not let this
// user read is taken for an empty one.
func (s *session) ask(ctx context.Context) error {
	v := new(survey)
	for _, filter := range s.asked() {
		// Quality 0: the broker sends all at once, and waits for no acknowledgement in between.
		if err := s.hear(ctx, filter, 0, v.hear, "cannot hear what is announced"); err != nil {
			return err
		}
	}
	v.timer = time.NewTimer(settled)
	s.survey = v
	return nil
}

// surveyEnds takes what was heard for what the broker holds, and begins to announce.
func (s *session) surveyEnds(ctx context.Context) error {
	v := s.survey
	if _, news := v.heard(); news {
		v.timer.Reset(settled)
		return nil
	}
	if err := s.conn.Unsubscribe(ctx, s.asked()...); err != nil {
		return err
	}
	found, _ := v.heard()
	s.survey, s.surveyed = nil, true
	s.adopt(found)
	return s.introduce()
}

// adoption is for how long what the survey found is believed of a meter that has not sent it, and the broker is asked again at
// each start: daily values come within.
const adoption = 50 * time.Hour

// adopt takes over what an earlier run announced: lists that come once an hour would else lose their entities until then.
func (s *session) adopt(found []discovery.Message) {
	held := discovery.HeldOf(found)
	s.found = map[string]discovery.Meter{}
	for _, a := range s.config.Discovery().Announced(found) {
		s.found[a.Meter.ID] = a.Meter
	}
	for _, id := range held.Meters() {
		before := device{Announced: held.Of(id)}
		for _, q := range s.found[id].Quantities {
			before.Topics = append(before.Topics, q.ID.String())
		}
		if id == ownDevice {
			id = ""
		}
		s.devices.add(id, before)
	}
	s.devices.asked(time.Now())
	s.weaned.Reset(time.Until(s.devices.whole()))
}

// sighted forgets of what the survey found what a meter has sent since: from then on its bridge tells when it is gone.
func (s *session) sighted(m *meter) {
	before, ok := s.found[m.ID]
	if !ok {
		return
	}
	before.Quantities = slices.DeleteFunc(before.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.known, func(k bridge.Known) bool { return k.ID == q.ID })
	})
	s.found[m.ID] = before
}

// wean takes back what the survey found and no meter has sent.
func (s *session) wean() error {
	s.found = nil
	for _, m := range s.meters {
		m.due = true
	}
	return s.announceDue()
}
