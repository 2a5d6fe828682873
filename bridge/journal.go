package bridge

import (
	"context"
	"slices"
	"sync"
)

// journal is a ring buffer of the last telegrams. Each output reads it with a cursor of its own. If the buffer is full, the oldest telegram
// is overwritten. A journal is safe for concurrent use.
type journal struct {
	mu        sync.Mutex
	ring      []Telegram
	count     uint64 // how many telegrams were added
	readers   []*Feed
	delivered chan struct{} // has a value after a reader has delivered telegrams
}

func newJournal(size int) *journal {
	return &journal{ring: make([]Telegram, size), delivered: make(chan struct{}, 1)}
}

// add copies a telegram into the ring, and reuses the slices there.
func (j *journal) add(t Telegram) {
	j.mu.Lock()
	defer j.mu.Unlock()
	slot := &j.ring[j.count%uint64(len(j.ring))]
	values := append(slot.Values[:0], t.Values...)
	*slot = t
	slot.Values = values
	j.count++
}

// since appends the telegrams after cursor to dst. Next is the cursor for the next call. Lost is how many telegrams after cursor are
// missing because they were overwritten. The telegrams in dst own their values.
func (j *journal) since(cursor uint64, dst []Telegram) (telegrams []Telegram, next, lost uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if oldest := j.count - min(j.count, uint64(len(j.ring))); cursor < oldest {
		lost, cursor = oldest-cursor, oldest
	}
	for ; cursor < j.count; cursor++ {
		dst = slices.Grow(dst, 1)[:len(dst)+1]
		t := &dst[len(dst)-1]
		values := t.Values
		*t = j.ring[cursor%uint64(len(j.ring))]
		t.Values = append(values[:0], t.Values...)
	}
	return dst, j.count, lost
}

// awaitDelivered waits until every output has delivered all telegrams, or ctx ends. Only recordings are read
// so that they wait for outputs; a meter cannot wait.
func (j *journal) awaitDelivered(ctx context.Context) {
	for !j.allDelivered() {
		select {
		case <-ctx.Done():
			return
		case <-j.delivered:
		}
	}
	j.signalDelivered() // wakes the next recording that waits
}

// allDelivered reports whether every output has delivered all telegrams.
func (j *journal) allDelivered() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !slices.ContainsFunc(j.readers, func(f *Feed) bool { return f.cursor.Load() < j.count })
}

// signalDelivered wakes awaitDelivered.
func (j *journal) signalDelivered() {
	select {
	case j.delivered <- struct{}{}:
	default:
	}
}
