package mqtt

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// A task is something that a session does at a scheduled time.
type task uint8

const (
	publishAllTask task = iota // publish everything again, for example for a hub that has started
	announceTask               // publish the announcement steps that had to wait
	expireTask                 // drop found announcements that were not confirmed (see expireFound)
	reviewTask                 // decide again which bridge publishes the counters of each meter
	arrivalTask                // conclude arrival checks at their deadline
	taskCount                  // the number of tasks
)

// A schedule holds when each task is due. Zero means never.
type schedule [taskCount]time.Time

// in schedules a task after wait, unless the task is already scheduled for an earlier time.
func (s *schedule) in(t task, wait time.Duration) {
	if at := time.Now().Add(wait); s[t].IsZero() || at.Before(s[t]) {
		s[t] = at
	}
}

// wait returns the time until the next task is due, at most an hour.
func (s *schedule) wait() time.Duration {
	wait := time.Hour
	for _, at := range s {
		if !at.IsZero() {
			wait = min(wait, time.Until(at))
		}
	}
	return wait
}

// runDueTasks runs the tasks that are due.
func (s *session) runDueTasks(ctx context.Context) {
	run := [taskCount]func(){
		publishAllTask: s.publishAllAgain, announceTask: s.announceDue, expireTask: s.expireFound,
		reviewTask: func() { s.review(ctx) }, arrivalTask: s.concludeArrivalChecks,
	}
	for t, at := range s.schedule {
		if at.IsZero() || time.Now().Before(at) {
			continue
		}
		s.subscription.Progress()
		s.schedule[t] = time.Time{}
		run[t]()
	}
}

// maxPosted is the largest number of functions that wait for the session's goroutine. post drops further functions, which only a flood of
// messages can cause.
const maxPosted = 10_000

// post makes the session's goroutine call f. The goroutines that receive messages must not change the session themselves. post is safe for
// concurrent use.
func (s *session) post(f func()) {
	s.mu.Lock()
	if len(s.posted) < maxPosted {
		s.posted = append(s.posted, f)
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// runPosted calls the posted functions.
func (s *session) runPosted() {
	s.mu.Lock()
	posted := s.posted
	s.posted = nil
	s.mu.Unlock()
	for _, f := range posted {
		f()
	}
}

// processPosted calls the posted functions, and then the checks that depend on the fields that these functions change.
func (s *session) processPosted(ctx context.Context) {
	s.subscription.Progress()
	s.runPosted()
	s.concludeArrivalChecks()
	s.review(ctx)
}

// A backoff limits how often everything is published again. The cause is a hub that has started, or another program that has published that
// this bridge is offline. The gaps grow, because otherwise two bridges with the same status topic could cause this without end.
type backoff struct {
	lastDone time.Time     // when everything was last published again
	gap      time.Duration // the shortest time from lastDone until everything is published again
}

const (
	minGap, maxGap = 5 * time.Second, time.Minute
	// resetAfter is how long after lastDone the gap becomes zero.
	resetAfter = 10 * time.Minute
)

// wait returns how long to wait before everything is published again, at least pause.
func (b *backoff) wait(now time.Time, pause time.Duration) time.Duration {
	if now.Sub(b.lastDone) >= resetAfter {
		b.gap = 0
	}
	return max(pause, b.gap-now.Sub(b.lastDone))
}

// done records that everything was published again.
func (b *backoff) done(now time.Time) {
	b.lastDone, b.gap = now, min(max(minGap, 2*b.gap), maxGap)
}

// receiveOwnStatus handles a message under the status topic of this bridge. This session publishes "offline" only at its end. So an "offline" that
// is not retained is from another bridge with the same topic, or is the late will of an earlier connection. A retained status is only recorded.
func (s *session) receiveOwnStatus(m broker.Message) {
	s.post(func() {
		if m.Retain {
			s.statusReceived, s.bridgeWasOnline = true, string(m.Payload) == online
			return
		}
		if string(m.Payload) != offline {
			return
		}
		s.schedulePublishAll()
		if count, ok := s.logLimiter.Allow("contradicted"); ok {
			ratelimit.WithCount(s.log.Info(), count).Str("source", m.Topic).
				Msg("another client published that this bridge is offline: everything is published again (is hanbridge running twice with this " +
					"mqtt.base_topic?)")
		}
	})
}

// receiveHubStatus handles the hub's birth message. A retained birth message is ignored, because it is older than the session, which publishes
// everything at its start.
func (s *session) receiveHubStatus(m broker.Message) {
	if !m.Retain && string(m.Payload) == online {
		s.post(s.schedulePublishAll)
	}
}

// schedulePublishAll schedules publishing everything again after a random delay of 1 to 5 s, or later if backoff requires it. The delay is random
// because many programs announce their devices when a hub starts. A call has no effect if publishing everything is already scheduled.
func (s *session) schedulePublishAll() {
	if s.schedule[publishAllTask].IsZero() {
		s.schedule.in(publishAllTask, s.republishBackoff.wait(time.Now(), time.Second+rand.N(4*time.Second)))
	}
}

// publishAllAgain publishes everything again because of another program.
func (s *session) publishAllAgain() {
	s.republishBackoff.done(time.Now())
	s.publishAll()
}
