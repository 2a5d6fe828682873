// Package progress tells which goroutines of the bridge are stuck. Each goroutine has a Reporter and tells it whether it works, or waits
// for something that may take any time.
package progress

import (
	"fmt"
	"sync/atomic"
	"time"
)

// StuckAfter is how long a goroutine may go without progress in a piece of work before it counts as stuck. Every piece of work of the
// bridge ends in less than a minute, also where a network or a broker does not answer: each wait in it has a time limit.
const StuckAfter = 2 * time.Minute

// A Group holds the Reporters of all goroutines of one bridge. Add everything before the goroutines start; from then on it is safe for
// concurrent use. A nil Group is empty.
type Group struct {
	began time.Time
	all   []*Reporter
}

// NewGroup returns a Group without Reporters.
func NewGroup() *Group { return &Group{began: time.Now()} }

// Add returns the Reporter of a goroutine that waits. The name is for people: output mqtt.
func (g *Group) Add(name string) *Reporter {
	r := &Reporter{name: name, began: g.began}
	g.all = append(g.all, r)
	return r
}

// Statuses returns how all goroutines are, in the order in which they were added. It takes no lock that a stuck goroutine could hold.
func (g *Group) Statuses() (parts []Status) {
	if g == nil {
		return nil
	}
	for _, r := range g.all {
		parts = append(parts, r.part())
	}
	return parts
}

// A Reporter keeps when one goroutine last made progress. A nil Reporter keeps nothing. Its methods are safe for concurrent use, and
// neither Working nor Waiting allocates memory.
type Reporter struct {
	name  string
	began time.Time
	since atomic.Int64 // when it last made progress, in ns since began by the monotonic clock; 0 while it waits
	note  atomic.Pointer[string]
}

// Working says that the goroutine has just made progress and works on. It is called at the start of each piece of work, and within one
// that may take long.
func (r *Reporter) Working() {
	if r != nil {
		r.since.Store(max(1, int64(time.Since(r.began))))
	}
}

// Waiting says that the goroutine waits for something that may take any time: bytes of a meter, news for an output, the next attempt.
func (r *Reporter) Waiting() {
	if r != nil {
		r.since.Store(0)
	}
}

// Note keeps what people should know of the goroutine although it is not stuck, such as that the broker is away; "" for nothing.
func (r *Reporter) Note(text string) {
	switch {
	case r == nil:
	case text == "":
		r.note.Store(nil)
	default:
		kept := text // text itself would be allocated in every call
		r.note.Store(&kept)
	}
}

func (r *Reporter) part() Status {
	p := Status{Name: r.name}
	if since := r.since.Load(); since != 0 {
		p.Working = time.Since(r.began) - time.Duration(since)
	}
	if note := r.note.Load(); note != nil {
		p.Note = *note
	}
	return p
}

// A Status is how one goroutine of the bridge is.
type Status struct {
	Name string `json:"name"`
	// Working is for how long the goroutine has made no progress in a piece of work, in ns; 0 while it waits.
	Working time.Duration `json:"working_ns,omitempty"`
	Note    string        `json:"note,omitempty"`
}

// Stuck says which of the parts have made no progress in a piece of work for so long, and since when, one sentence for each.
func Stuck(parts []Status, after time.Duration) (stuck []string) {
	for _, p := range parts {
		if p.Working > 0 && p.Working >= after {
			since := time.Now().Add(-p.Working).Format(time.TimeOnly)
			stuck = append(stuck, fmt.Sprintf("%s is stuck: no progress since %s (%v)", p.Name, since, p.Working.Round(time.Second)))
		}
	}
	return stuck
}
