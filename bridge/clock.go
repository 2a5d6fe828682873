package bridge

import (
	"context"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
)

// A clock calls the functions of alarms at their times, for everything that must happen when no telegram comes. All meters of a bridge share one
// clock and its goroutine. A clock is safe for concurrent use.
type clock struct {
	mu       sync.Mutex
	alarms   map[*alarm]struct{}
	next     time.Time     // when run looks at the alarms again; zero if it waits for woken
	woken    chan struct{} // has a value if an alarm was set that is earlier than next
	progress *progress.Reporter
}

// An alarm belongs to a clock. Its function is called by the goroutine of the clock, once for each time that was set.
type alarm struct {
	clock *clock
	at    time.Time // zero if no time is set
	call  func(now time.Time)
}

func newClock() *clock { return &clock{alarms: map[*alarm]struct{}{}, woken: make(chan struct{}, 1)} }

// add returns an alarm for which no time is set.
func (c *clock) add(call func(now time.Time)) *alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &alarm{clock: c, call: call}
	c.alarms[a] = struct{}{}
	return a
}

// set sets the time of the next call, in place of the time that was set before. A later time does not wake the clock, so that a meter can set it
// with each telegram at no cost.
func (a *alarm) set(at time.Time) {
	c := a.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	a.at = at
	if _, exists := c.alarms[a]; exists && (c.next.IsZero() || at.Before(c.next)) {
		c.next = at
		signal(c.woken)
	}
}

// remove removes the alarm. A call of its function that has begun is not awaited.
func (a *alarm) remove() {
	a.clock.mu.Lock()
	defer a.clock.mu.Unlock()
	delete(a.clock.alarms, a)
}

// run calls the functions of the alarms until ctx ends.
func (c *clock) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(c.wait())
		c.progress.Waiting()
		select {
		case <-ctx.Done():
			return
		case <-c.woken:
		case <-timer.C:
			c.progress.Working()
			for _, a := range c.due() {
				a.call(time.Now())
				c.progress.Working()
			}
		}
	}
}

// wait sets next to the time of the earliest alarm, and returns how long that is from now.
func (c *clock) wait() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = time.Time{}
	for a := range c.alarms {
		if !a.at.IsZero() && (c.next.IsZero() || a.at.Before(c.next)) {
			c.next = a.at
		}
	}
	if c.next.IsZero() {
		return time.Hour
	}
	return time.Until(c.next)
}

// due returns the alarms whose time has come, and clears their times.
func (c *clock) due() (due []*alarm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.alarms {
		if !a.at.IsZero() && !time.Now().Before(a.at) {
			a.at = time.Time{}
			due = append(due, a)
		}
	}
	return due
}
