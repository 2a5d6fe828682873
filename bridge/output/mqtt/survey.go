package mqtt

import (
	"context"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A survey hears what a broker holds of this bridge's announcements where no memory tells: an earlier run may have announced
// them in another style, and a hub must never hear both. Nothing is published before it is over.
type survey struct {
	timer *time.Timer

	mu    sync.Mutex
	found []discovery.Message
	seen  int // of them when the timer last ran out
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

// ask begins a survey, once in the life of an output. A broker that does not let this user read is taken for an empty one.
func (s *session) ask(ctx context.Context) error {
	v := new(survey)
	for _, filter := range s.config.announcedFilters() {
		if err := s.hear(ctx, filter, v.hear, "cannot hear what is announced"); err != nil {
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
	v.mu.Lock()
	found, news := v.found, len(v.found) > v.seen
	v.seen = len(v.found)
	v.mu.Unlock()
	if news {
		v.timer.Reset(settled)
		return nil
	}
	if err := s.conn.Unsubscribe(ctx, s.config.announcedFilters()...); err != nil {
		return err
	}
	s.survey, s.surveyed = nil, true
	held := discovery.HeldOf(found)
	s.devices.set("", device{Announced: held.Of("bridge")})
	for _, m := range s.feed.Meters() {
		s.devices.set(m.ID, device{Announced: held.Of(m.ID)})
	}
	return s.introduce()
}
