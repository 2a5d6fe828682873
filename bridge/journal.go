package bridge

import (
	"context"
	"slices"
	"sync"
)

// journal is a ring buffer of the last telegrams. Each output reads it with a cursor of its own. If it is full, the oldest telegram is
// overwritten. It is safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	ring    []Telegram
	head    uint64 // how many telegrams were added
	readers []*Feed
	read    chan struct{} // has a value after a reader has delivered telegrams
}

func newJournal(size int) *journal {
	return &journal{ring: make([]Telegram, size), read: make(chan struct{}, 1)}
}

// add copies a telegram into the ring, and reuses the slices there.
func (j *journal) add(t Telegram) {
	j.mu.Lock()
	defer j.mu.Unlock()
	slot := &j.ring[j.head%uint64(len(j.ring))]
	values := append(slot.Values[:0], t.Values...)
	*slot = t
	slot.Values = values
	j.head++
}

// since appends the telegrams after cursor to dst. It also returns head, which is the next cursor, and how many telegrams after cursor were lost
// because they were overwritten. The telegrams in dst own their values.
func (j *journal) since(cursor uint64, dst []Telegram) (telegrams []Telegram, head, lost uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if oldest := j.head - min(j.head, uint64(len(j.ring))); cursor < oldest {
		lost, cursor = oldest-cursor, oldest
	}
	for ; cursor < j.head; cursor++ {
		dst = slices.Grow(dst, 1)[:len(dst)+1]
		t := &dst[len(dst)-1]
		values := t.Values
		*t = j.ring[cursor%uint64(len(j.ring))]
		t.Values = append(values[:0], t.Values...)
	}
	return dst, j.head, lost
}

// awaitRead waits until every output has delivered all telegrams, or ctx ends. Recordings call it, since they can wait.
func (j *journal) awaitRead(ctx context.Context) {
	for !j.allRead() {
		select {
		case <-ctx.Done():
			return
		case <-j.read:
		}
	}
	j.signalRead() // another recording may wait for the same
}

// allRead reports whether every output has delivered all telegrams.
func (j *journal) allRead() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !slices.ContainsFunc(j.readers, func(f *Feed) bool { return f.cursor.Load() < j.head })
}

// signalRead wakes awaitRead.
func (j *journal) signalRead() {
	select {
	case j.read <- struct{}{}:
	default:
	}
}
