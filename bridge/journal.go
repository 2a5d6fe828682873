package bridge

import (
	"slices"
	"sync"
	"unsafe"
)

// A journal holds whole telegrams of all meters in the order in which they arrived. Each reader has a cursor of its own, which moves only past
// telegrams that were delivered. Telegrams that all readers have delivered are dropped. If the journal is full, the oldest telegrams are dropped,
// and the readers that have not delivered them count them as lost. A journal is safe for concurrent use.
type journal struct {
	mu        sync.Mutex
	limit     int         // the largest size in bytes
	size      int         // of all telegrams, in bytes
	telegrams []*Telegram // the oldest first, after the places of head telegrams that were dropped
	head      int
	first     uint64 // the position of telegrams[head]; the first telegram has position 0
	cursors   map[string]*cursor
}

const (
	// journalBase is the smallest limit of a journal. It has room for more than an hour of a meter that sends 31 values every second.
	journalBase = 8 << 20
	// journalPerMeter is how much each meter adds to the limit. It has room for some ten telegrams of each of many meters, so that none is lost
	// while an output announces them all.
	journalPerMeter = 16 << 10
)

func newJournal(limit int) *journal { return &journal{limit: limit, cursors: map[string]*cursor{}} }

// append adds a telegram.
func (j *journal) append(t *Telegram) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.cursors) == 0 {
		j.first++
		return
	}
	j.telegrams = append(j.telegrams, t)
	j.size += sizeOf(t)
	for j.size > j.limit && len(j.held()) > 1 {
		j.dropOldest(1)
	}
}

// held returns the telegrams that the journal holds.
func (j *journal) held() []*Telegram { return j.telegrams[j.head:] }

// grow changes the limit.
func (j *journal) grow(bytes int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.limit += bytes
}

// dropOldest drops the oldest n telegrams.
func (j *journal) dropOldest(n int) {
	for _, t := range j.held()[:n] {
		j.size -= sizeOf(t)
	}
	clear(j.held()[:n])
	j.head, j.first = j.head+n, j.first+uint64(n)
	if 2*j.head >= len(j.telegrams) { // so each telegram is moved once on average
		j.telegrams, j.head = slices.Delete(j.telegrams, 0, j.head), 0
	}
}

// dropDelivered drops the telegrams that all readers have delivered.
func (j *journal) dropDelivered() {
	delivered := j.end()
	for _, c := range j.cursors {
		delivered = min(delivered, c.delivered)
	}
	if delivered > j.first {
		j.dropOldest(int(delivered - j.first))
	}
}

// end returns the position of the next telegram.
func (j *journal) end() uint64 { return j.first + uint64(len(j.held())) }

// sizeOf returns the memory that a telegram occupies, in bytes. Texts are not counted, because telegrams share them as long as they do not change.
func sizeOf(t *Telegram) int {
	return int(unsafe.Sizeof(*t)) + cap(t.Values)*int(unsafe.Sizeof(Value{}))
}

// reader returns the cursor with this name. A new cursor stands at the end of the journal.
func (j *journal) reader(name string) *cursor {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.cursors[name]
	if !ok {
		c = &cursor{journal: j, delivered: j.end(), read: j.end(), furthest: j.end()}
		j.cursors[name] = c
	}
	return c
}

// A cursor is how far one reader has come in a journal. A nil cursor reads nothing.
type cursor struct {
	journal   *journal
	delivered uint64 // the position after the last telegram that was delivered
	read      uint64 // the position after the last telegram that take has returned
	furthest  uint64 // the highest value of read so far: take has returned all telegrams before it
}

// takenTelegrams is what take returns.
type takenTelegrams struct {
	telegrams []*Telegram
	again     int    // how many of the first telegrams were returned before the last rewind, too
	lost      uint64 // how many telegrams the journal has dropped before the first one
	end       uint64 // the position that the reader passes to confirm when it has delivered the telegrams
}

// take appends at most limit telegrams after the last call to dst.
func (c *cursor) take(dst []*Telegram, limit int) (t takenTelegrams) {
	if c == nil {
		return takenTelegrams{telegrams: dst}
	}
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.read < j.first {
		t.lost, c.read = j.first-c.read, j.first
		c.delivered = max(c.delivered, j.first) // so that they do not count as lost again after rewind
	}
	available := j.held()[c.read-j.first:]
	n := min(len(available), limit)
	if c.read < c.furthest {
		t.again = min(n, int(c.furthest-c.read))
	}
	c.read += uint64(n)
	c.furthest = max(c.furthest, c.read)
	t.telegrams, t.end = append(dst, available[:n]...), c.read
	return t
}

// confirm moves the cursor to a position, because all telegrams before it were delivered.
func (c *cursor) confirm(position uint64) {
	if c == nil {
		return
	}
	j := c.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	c.delivered = max(c.delivered, position)
	j.dropDelivered()
}

// rewind makes take return the telegrams again that were not delivered.
func (c *cursor) rewind() {
	if c == nil {
		return
	}
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	c.read = c.delivered
}

// progress reports whether all telegrams were taken, and whether all were delivered.
func (c *cursor) progress() (allTaken, allDelivered bool) {
	if c == nil {
		return true, true
	}
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	return c.read >= c.journal.end(), c.delivered >= c.journal.end()
}
