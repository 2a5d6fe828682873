// Package ratelimit limits the number of log lines about events that other programs and devices cause, because there can be any number of
// such events. The first event of a kind is logged. Further events are counted, and the count is logged later.
package ratelimit

import (
	"context"
	"maps"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Period is the time between two log lines while events of one kind continue. The later line has the number of events since the earlier line.
const Period = 10 * time.Minute

const (
	// maxNewKinds is how many new kinds of events get a first line within Period. A remote program can cause any number of kinds.
	maxNewKinds = 12
	// maxExtraLines is how many extra lines a kind gets within Period because Recovered was called. They are limited because a fault can
	// end and return with each message.
	maxExtraLines = 2
)

// A Limiter decides which events are logged. It allows the first event of a kind, and then one event in each Period. The zero value is ready
// to use. A Limiter is safe for concurrent use.
type Limiter struct {
	mu       sync.Mutex
	kinds    map[string]kind
	newKinds Window // limits the first lines of new kinds
	dropped  int    // the number of events of new kinds that were not allowed
}

type kind struct {
	lastLogged time.Time
	count      int    // the number of events since lastLogged
	recovered  bool   // Recovered was called since lastLogged
	extraLines Window // limits the lines because of Recovered
}

// Allow reports whether an event of this kind must be logged. If so, count is the number of events for the log line: this event, and the
// events that were not logged since the last line.
func (l *Limiter) Allow(kindName string) (count int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k, found := l.kinds[kindName]
	switch {
	case !found && !l.newKinds.Allow(now, maxNewKinds):
		l.dropped++
		return 0, false
	case !found:
		l.removeOldKinds(now)
	// It is too early for the next line, and Recovered allows no extra line.
	case now.Sub(k.lastLogged) < Period && (!k.recovered || !k.extraLines.Allow(now, maxExtraLines)):
		k.count++
		l.kinds[kindName] = k
		return 0, false
	}
	count = k.count + l.dropped + 1 // the next line, of whatever kind, has the dropped events
	l.kinds[kindName], l.dropped = kind{lastLogged: now, extraLines: k.extraLines}, 0
	return count, true
}

// removeOldKinds removes the kinds that were last logged a Period ago or earlier, if there are many kinds.
func (l *Limiter) removeOldKinds(now time.Time) {
	if l.kinds == nil {
		l.kinds = map[string]kind{}
	}
	if len(l.kinds) >= maxNewKinds {
		maps.DeleteFunc(l.kinds, func(_ string, k kind) bool { return now.Sub(k.lastLogged) >= Period })
	}
}

// Recovered tells the Limiter that all faults have ended. The next event of each kind is then logged without waiting, but at most
// maxExtraLines times within Period.
func (l *Limiter) Recovered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, k := range l.kinds {
		k.recovered = true
		l.kinds[name] = k
	}
}

// A Window limits the number of events within Period. The zero value is ready to use. A Window is not safe for concurrent use.
type Window struct {
	start time.Time
	count int
}

// Allow reports whether another event is allowed. At most limit events are allowed within Period.
func (w *Window) Allow(now time.Time, limit int) bool {
	if now.Sub(w.start) >= Period {
		*w = Window{start: now}
	}
	w.count++
	return w.count <= limit
}

// WithCount adds the number of events to a log line, if there is more than one event.
func WithCount(line *zerolog.Event, count int) *zerolog.Event {
	if count > 1 {
		return line.Int("count", count)
	}
	return line
}

// varying matches the parts of an error text that differ between connections: the local port in errors of package net, and sizes.
var varying = regexp.MustCompile(`:\d{1,5}->|\b\d+ (bytes|messages)\b`)

// Normalize removes from the text of an error the parts that differ between connections. The result is a kind for Allow.
func Normalize(text string) string { return varying.ReplaceAllString(text, "") }

// A Backoff gives the pauses between attempts. The upper bound of a pause doubles from Min to Max. Each pause is a random time between half
// the bound and the bound, so that many bridges do not return at the same moment. A Backoff is not safe for concurrent use.
type Backoff struct {
	// Min is the first upper bound. Max is the largest upper bound.
	Min, Max time.Duration
	bound    time.Duration // the last upper bound
}

// Reset makes Next start with Min again.
func (b *Backoff) Reset() { b.bound = 0 }

// Next returns the next pause.
func (b *Backoff) Next() time.Duration {
	b.bound = min(max(b.Min, 2*b.bound), b.Max)
	return b.bound/2 + rand.N(b.bound/2+1)
}

// Pause waits for the given time, or until ctx ends. It reports whether the full time has passed.
func Pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
