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
	end   string // the topic of a message of our own: a broker sends it behind all that it holds

	mu    sync.Mutex
	found []discovery.Message
	seen  int // of them when the timer last ran out
}

// settled is how long the functions of subscriptions, which run side by side, may take.
const settled = 20 * time.Millisecond

// done gives a value when the broker may have said all.
func (v *survey) done() <-chan time.Time {
	if v == nil {
		return nil
	}
	return v.timer.C
}

// hear runs on the connection's goroutines.
func (v *survey) hear(m broker.Message) {
	if m.Topic == v.end {
		v.timer.Reset(settled)
	}
	if !m.Retain || len(m.Payload) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.found = append(v.found, discovery.Message{Topic: m.Topic, Payload: m.Payload})
}

// ask begins a survey, once in the life of an output. A broker that does not let this user read is taken for an empty one.
func (s *session) ask(ctx context.Context) error {
	v := &survey{timer: time.NewTimer(quiet), end: s.config.checkAnnouncedTopic()}
	for _, filter := range append(s.config.announcedFilters(), v.end) {
		if err := s.conn.Subscribe(ctx, filter, 1, v.hear); err != nil {
			if s.conn.Err() != nil || ctx.Err() != nil {
				return err
			}
			s.log.Debug().Err(err).Msg("cannot hear what is announced")
		}
	}
	s.survey = v
	return s.conn.Publish(broker.Message{Topic: v.end, Payload: []byte("all heard"), QoS: 1}) // as sure as what it follows
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
	if err := s.conn.Unsubscribe(ctx, append(s.config.announcedFilters(), v.end)...); err != nil {
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
