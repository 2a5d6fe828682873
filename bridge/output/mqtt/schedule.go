package mqtt

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// A task is what a session does at a time of its own.
type task uint8

const (
	introduceTask task = iota // everything again, for a hub that has started
	announceTask              // what was announced too short a time ago
	expireTask                // see expireFound
	reviewTask                // who publishes each meter
	proofTask                 // proofs that have taken too long
	taskCount
)

// A schedule says when tasks are due; zero is never.
type schedule [taskCount]time.Time

// in has a task done in a while, or sooner where it is due sooner.
func (s *schedule) in(t task, wait time.Duration) {
	if at := time.Now().Add(wait); s[t].IsZero() || at.Before(s[t]) {
		s[t] = at
	}
}

// wait returns how long nothing is due.
func (s *schedule) wait() time.Duration {
	wait := time.Hour
	for _, at := range s {
		if !at.IsZero() {
			wait = min(wait, time.Until(at))
		}
	}
	return wait
}

// doDue does the tasks that are due.
func (s *session) doDue(ctx context.Context) {
	do := [taskCount]func(){s.introduceAgain, s.announceDue, s.expireFound, func() { s.review(ctx) }, s.concludeProofs}
	for t, at := range s.due {
		if at.IsZero() || time.Now().Before(at) {
			continue
		}
		s.feed.Progress()
		s.due[t] = time.Time{}
		do[t]()
	}
}

// mostPosted is how much waits for the session at most. A flood of messages by others goes beyond it.
const mostPosted = 10_000

// post has the goroutine of the session do something: the goroutines of the connection, which hear of it, must not.
func (s *session) post(f func()) {
	s.mu.Lock()
	if len(s.posted) < mostPosted {
		s.posted = append(s.posted, f)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// takePosted does what was posted.
func (s *session) takePosted() {
	s.mu.Lock()
	posted := s.posted
	s.posted = nil
	s.mu.Unlock()
	for _, f := range posted {
		f()
	}
}

// heard acts on what the goroutines of the connection have heard.
func (s *session) heard(ctx context.Context) {
	s.feed.Progress()
	s.takePosted()
	s.concludeProofs()
	s.review(ctx)
}

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
	s.post(func() {
		if m.Retain {
			s.statusHeard, s.wasOnline = true, string(m.Payload) == online
			return
		}
		if string(m.Payload) != offline {
			return
		}
		s.introduceSoon()
		if count, ok := s.limiter.Allow("contradicted"); ok {
			ratelimit.WithCount(s.log.Info(), count).Str("source", m.Topic).
				Msg("somebody else said that this bridge is offline: everything is published again (is hanbridge running twice with this " +
					"mqtt.base_topic?)")
		}
	})
}

// hubStatus hears the hub's birth message. One that was retained tells of a start before this connection, which began with all there
// is to say.
func (s *session) hubStatus(m broker.Message) {
	if !m.Retain && string(m.Payload) == online {
		s.post(s.introduceSoon)
	}
}

// introduceSoon has everything introduced again in a moment, at random: a hub that has just started hears of many devices at once. What
// comes until then is answered with it.
func (s *session) introduceSoon() {
	if s.due[introduceTask].IsZero() {
		s.due.in(introduceTask, s.pace.wait(time.Now(), time.Second+rand.N(4*time.Second)))
	}
}

func (s *session) introduceAgain() {
	s.pace.done(time.Now())
	s.introduce()
}
