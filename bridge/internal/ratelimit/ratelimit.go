// Package ratelimit keeps a log readable, whatever others do: what they can bring about again and again is one line, then a count.
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

// Period is the pause between two log lines of the same kind of event. The later line has the number of events since the first.
const Period = 10 * time.Minute

const (
	// mostKinds is how many new kinds of events get a first line within Period. A remote program can cause any number of kinds.
	mostKinds = 12
	// mostAgain is how many extra lines a kind gets within Period because Recovered was called. A fault may end and come back with each message.
	mostAgain = 2
)

// A Limiter decides which events become lines of a log. The first of a kind does; while the kind goes on, one in ten minutes, with
// the number of events since the last line. The zero value is ready. It is safe for concurrent use.
type Limiter struct {
	mu     sync.Mutex
	kinds  map[string]kind
	first  Window // lines that were the first of their kind
	missed int    // events without a line whose kind is not remembered
}

type kind struct {
	lastLogged time.Time // when it was last a line
	count      int       // events since
	over       bool      // it has ended since
	again      Window    // lines because it had ended
}

// Allow reports whether an event becomes a line, and for how many events the line stands: this one, and those of its kind since the last
// line of it.
func (l *Limiter) Allow(name string) (count int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	k, known := l.kinds[name]
	switch {
	case !known && !l.first.Allow(now, mostKinds):
		l.missed++
		return 0, false
	case !known:
		l.forget(now)
	case now.Sub(k.lastLogged) < Period && (!k.over || !k.again.Allow(now, mostAgain)):
		k.count++
		l.kinds[name] = k
		return 0, false
	}
	count = k.count + l.missed + 1
	l.kinds[name], l.missed = kind{lastLogged: now, again: k.again}, 0
	return count, true
}

// forget makes room for a kind: those that have not been told for long go.
func (l *Limiter) forget(now time.Time) {
	if l.kinds == nil {
		l.kinds = map[string]kind{}
	}
	if len(l.kinds) >= mostKinds {
		maps.DeleteFunc(l.kinds, func(_ string, k kind) bool { return now.Sub(k.lastLogged) >= Period })
	}
}

// Recovered reports that all faults have ended: the next event of each kind becomes a line at once, at most mostAgain times within ten minutes.
func (l *Limiter) Recovered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, k := range l.kinds {
		k.over = true
		l.kinds[name] = k
	}
}

// A Window counts events within ten minutes. The zero value is ready. It is for one goroutine at a time.
type Window struct {
	since time.Time
	n     int
}

// Allow reports whether another event may pass; at most n do within ten minutes.
func (w *Window) Allow(now time.Time, n int) bool {
	if now.Sub(w.since) >= Period {
		*w = Window{since: now}
	}
	w.n++
	return w.n <= n
}

// WithCount adds to a line for how many events it stands, where it is more than one.
func WithCount(line *zerolog.Event, count int) *zerolog.Event {
	if count > 1 {
		return line.Int("count", count)
	}
	return line
}

// varying is what differs from one connection to the next: the port of this side in errors of package net, and sizes.
var varying = regexp.MustCompile(`:\d{1,5}->|\b\d+ (bytes|messages)\b`)

// Normalize returns the text of an error without what differs from one connection to the next.
func Normalize(text string) string { return varying.ReplaceAllString(text, "") }

// A Backoff is how long to wait before the next attempt: twice as long each time, between half and the whole of it at
// random so that many bridges do not come back at the same moment.
type Backoff struct {
	// Min is the shortest pause, Max the longest.
	Min, Max time.Duration
	last     time.Duration
}

// Reset begins with the shortest pause again.
func (b *Backoff) Reset() { b.last = 0 }

// Next returns the next pause.
func (b *Backoff) Next() time.Duration {
	b.last = min(max(b.Min, 2*b.last), b.Max)
	return b.last/2 + rand.N(b.last/2+1)
}

// Pause waits until the time is over or ctx ends, and reports whether ctx has not ended.
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
