package bridge

import (
	"context"
	"slices"
	"sync"
)

// journal keeps the last telegrams in order. Each output reads it at its own pace, by a cursor; when it is full the oldest
// go. It is safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	ring    []Telegram
	head    uint64 // telegrams ever written
	readers []*Feed
	read    chan struct{} // a reader has got on
}

func newJournal(size int) *journal {
	return &journal{ring: make([]Telegram, size), read: make(chan struct{}, 1)}
}

// add copies t into the journal. The ring's own slices are used again.
func (j *journal) add(t Telegram) {
	j.mu.Lock()
	defer j.mu.Unlock()
	slot := &j.ring[j.head%uint64(len(j.ring))]
	values := append(slot.Values[:0], t.Values...)
	*slot = t
	slot.Values = values
	j.head++
}

// from appends to dst the telegrams behind cursor, and returns how many had already gone. Those in dst own their values.
func (j *journal) from(cursor uint64, dst []Telegram) (news []Telegram, head, lost uint64) {
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

// awaitRead waits until every output has done with everything: what a replayed file does, since it can wait.
func (j *journal) awaitRead(ctx context.Context) {
	for !j.allRead() {
		select {
		case <-ctx.Done():
			return
		case <-j.read:
		}
	}
	j.progressed() // another recording may wait for the same
}

func (j *journal) allRead() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !slices.ContainsFunc(j.readers, func(f *Feed) bool { return f.cursor.Load() < j.head })
}

func (j *journal) progressed() {
	select {
	case j.read <- struct{}{}:
	default:
	}
}
