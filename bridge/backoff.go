package bridge

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before the next attempt: twice as long each time, between half and the whole of it at
// random so that many bridges do not come back at the same moment.
type backoff struct {
	first, most time.Duration
	last        time.Duration
}

func (b *backoff) reset() { b.last = 0 }

func (b *backoff) next() time.Duration {
	b.last = min(max(b.first, 2*b.last), b.most)
	return b.last/2 + rand.N(b.last/2+1)
}

// pause waits, and reports if it was to the end.
func pause(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
