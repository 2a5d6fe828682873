package ratelimit

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Backoff is how long to wait before the next attempt: twice as long each time, between half and the whole of it at
// random so that many bridges do not come back at the same moment.
type Backoff struct {
	// First is the shortest pause, Most the longest.
	First, Most time.Duration
	last        time.Duration
}

// Reset begins with the shortest pause again.
func (b *Backoff) Reset() { b.last = 0 }

// Next returns the next pause.
func (b *Backoff) Next() time.Duration {
	b.last = min(max(b.First, 2*b.last), b.Most)
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
