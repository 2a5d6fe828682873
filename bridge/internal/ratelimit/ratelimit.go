// Package ratelimit limits the log lines about events that other programs and devices cause, because they can cause any number of events.
// The first event of a kind is logged; further ones are counted, and the count is logged.
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

// Period is the time between two log lines for events of one kind while they go on. The later line has the number of events since the first.
const Period = 10 * time.Minute

const (
	// maxNewKinds is how many new kinds of events get a first line within Period. A remote program can cause any number of kinds.
	maxNewKinds = 12
	// maxExtraLines is how many extra lines a kind gets within Period because Recovered was called. A fault can end and return with each
	// message.
	maxExtraLines = 2
)

// A Limiter decides which events are logged. It allows the first event of a kind, and then one in each Period, together with the number of
// events since the last line. The zero value is ready to use. It is safe for concurrent use.
type Limiter struct {
	mu       sync.Mutex
	kinds    map[string]kind
	newKinds Window // the first lines of kinds
	dropped  int    // events that were not logged, of kinds that are not in kinds
}

type kind struct {
	lastLogged time.Time
	count      int    // events since lastLogged
	recovered  bool   // Recovered was called since lastLogged
	extraLines Window // lines because of Recovered
}

// Allow reports whether an event of this kind is to be logged. If it is, count is the number of events for the log line: this event, and
// the events of its kind that were not logged since the last line.
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
	case now.Sub(k.lastLogged) < Period && (!k.recovered || !k.extraLines.Allow(now, maxExtraLines)):
		k.count++
		l.kinds[kindName] = k
		return 0, false
	}
	count = k.count + l.dropped + 1
	l.kinds[kindName], l.dropped = kind{lastLogged: now, extraLines: k.extraLines}, 0
	return count, true
}

// removeOldKinds makes room for a new kind: it removes kinds that were last logged a Period ago or earlier.
func (l *Limiter) removeOldKinds(now time.Time) {
	if l.kinds == nil {
		l.kinds = map[string]kind{}
	}
	if len(l.kinds) >= maxNewKinds {
		maps.DeleteFunc(l.kinds, func(_ string, k kind) bool { return now.Sub(k.lastLogged) >= Period })
	}
}

// Recovered notes that all faults have ended. The next event of each kind is then logged at once, at most maxExtraLines times within Period.
func (l *Limiter) Recovered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, k := range l.kinds {
		k.recovered = true
		l.kinds[name] = k
	}
}

// A Window counts events within Period. The zero value is ready to use. It is not safe for concurrent use.
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

// WithCount adds to a log line the number of its events, if there is more than one.
func WithCount(line *zerolog.Event, count int) *zerolog.Event {
	if count > 1 {
		return line.Int("count", count)
	}
	return line
}

// varying matches the parts of an error that differ from one connection to the next: the local port in errors of package net, and sizes.
var varying = regexp.MustCompile(`:\d{1,5}->|\b\d+ (bytes|messages)\b`)

// Normalize removes from the text of an error the parts that differ from one connection to the next, so that it can serve as a kind.
func Normalize(text string) string { return varying.ReplaceAllString(text, "") }

// A Backoff gives the pauses between attempts. An upper bound doubles from Min to Max. Each pause is a random time between half of the bound and
// the bound, so that many bridges do not return at the same moment. It is not safe for concurrent use.
type Backoff struct {
	// Min is the first upper bound, Max the last.
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
