package mqtt

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// A pace bounds how often everything is said again because somebody else gave cause for it: a hub that starts, or another program that
// says that this bridge is offline. The first time it is done at once. While it goes on the gaps grow, so that two bridges that
// contradict each other make no storm.
type pace struct {
	last time.Time     // when it was last done
	gap  time.Duration // how long after that it may be done again
}

const (
	leastGap, mostGap = 5 * time.Second, time.Minute
	// calm is how long there must be no cause before the gaps are short again.
	calm = 10 * time.Minute
)

// wait returns how long to wait, at least as long as the pause.
func (p *pace) wait(now time.Time, pause time.Duration) time.Duration {
	if now.Sub(p.last) >= calm {
		p.gap = 0
	}
	return max(pause, p.gap-now.Sub(p.last))
}

// done notes that it was done.
func (p *pace) done(now time.Time) {
	p.last, p.gap = now, min(max(leastGap, 2*p.gap), mostGap)
}

// ownStatus hears what is said of this bridge. That it is offline was said by somebody else: by a second bridge with the same topics
// that stopped, or by the broker, as the will of a connection it had not known to be dead. What was retained before is no news.
func (s *session) ownStatus(m broker.Message) {
	if m.Retain {
		s.wasOnline.Store(string(m.Payload) == online)
		s.statusHeard.Store(true)
		s.claims.wake()
	}
	if m.Retain || string(m.Payload) != offline || s.leaving.Load() {
		return
	}
	if count, ok := s.limiter.Allow("contradicted"); ok {
		ratelimit.Counted(s.log.Info(), count).Str("source", m.Topic).
			Msg("somebody else said that this bridge is offline: everything is published again (is hanbridge running twice with this " +
				"mqtt.base_topic?)")
	}
	s.again()
}

// hubStatus hears the hub's birth message. One that was retained tells of a start before this connection, which began with all there
// is to say. It runs on the connection's goroutine and must not publish.
func (s *session) hubStatus(m broker.Message) {
	if !m.Retain && string(m.Payload) == online {
		s.again()
	}
}

// again asks for everything to be introduced again, in a moment.
func (s *session) again() {
	select {
	case s.births <- struct{}{}:
	default:
	}
}

// called sets the time at which everything is introduced again. What comes until then is answered with it.
func (s *session) called() {
	if !s.awaits {
		s.awaits = true
		s.birth.Reset(s.pace.wait(time.Now(), birthPause()))
	}
}

// answer introduces everything again.
func (s *session) answer() error {
	s.awaits = false
	s.pace.done(time.Now())
	return s.introduce()
}
