// Package progress finds goroutines of the bridge that are stuck. Each goroutine reports to its own Reporter whether it works or waits.
// Only a goroutine that works can be stuck.
package progress

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// StuckAfter is how long a goroutine can work without progress before it is reported as stuck. A step of work in the bridge takes less than a
// minute, also if a network or a broker does not answer, because all waits within a step have a time limit.
const StuckAfter = 2 * time.Minute

// A Group holds the Reporters of all goroutines of one bridge. It is safe for concurrent use. A nil Group is empty.
type Group struct {
	began     time.Time
	mu        sync.Mutex // held only for a moment, and never by a goroutine that works
	reporters []*Reporter
}

// NewGroup returns a Group without Reporters.
func NewGroup() *Group { return &Group{began: time.Now()} }

// Add returns a new Reporter, whose first status is that its goroutine waits. The name, such as "output mqtt", is shown to users.
func (g *Group) Add(name string) *Reporter {
	r := &Reporter{name: name, began: g.began}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reporters = append(g.reporters, r)
	return r
}

// Remove removes the Reporter of a goroutine that has ended.
func (g *Group) Remove(r *Reporter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reporters = slices.DeleteFunc(g.reporters, func(o *Reporter) bool { return o == r })
}

// Statuses returns the status of each goroutine, in the order of Add. It takes no lock that a stuck goroutine could hold.
func (g *Group) Statuses() (statuses []Status) {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.reporters {
		statuses = append(statuses, r.status())
	}
	return statuses
}

// A Reporter stores when one goroutine last made progress. A nil Reporter stores nothing. Its methods are safe for concurrent use, and
// neither Working nor Waiting allocates memory.
type Reporter struct {
	name         string
	began        time.Time
	lastProgress atomic.Int64 // in ns since began by the monotonic clock; 0 while the goroutine waits
	note         atomic.Pointer[string]
}

// Working reports that the goroutine has just made progress and continues to work. Call it at the start of each step of work, and again
// during a long step.
func (r *Reporter) Working() {
	if r != nil {
		r.lastProgress.Store(max(1, int64(time.Since(r.began))))
	}
}

// Waiting reports that the goroutine waits for something that can take any time: bytes of a meter, an update for an output, or the next
// attempt.
func (r *Reporter) Waiting() {
	if r != nil {
		r.lastProgress.Store(0)
	}
}

// Note stores a text about a problem of the goroutine, such as that it has no connection to the broker. Users see the text in the status, also
// while the goroutine is not stuck. "" removes the text.
func (r *Reporter) Note(text string) {
	switch {
	case r == nil:
	case text == "":
		r.note.Store(nil)
	default:
		stored := text // with a pointer to text itself, a call with "" would allocate memory too
		r.note.Store(&stored)
	}
}

func (r *Reporter) status() Status {
	s := Status{Name: r.name}
	if last := r.lastProgress.Load(); last != 0 {
		s.Working = time.Since(r.began) - time.Duration(last)
	}
	if note := r.note.Load(); note != nil {
		s.Note = *note
	}
	return s
}

// A Status is the state of one goroutine of the bridge. It is sent as JSON. The names in the JSON must not change, because other programs
// read them.
type Status struct {
	Name string `json:"name"`
	// Working is how long the goroutine has worked without progress, in ns; 0 while it waits.
	Working time.Duration `json:"working_ns,omitempty"`
	// Note is the text of the last call of Reporter.Note.
	Note string `json:"note,omitempty"`
}

// Stuck returns a sentence for each goroutine that has worked without progress for at least limit, with the time of its last progress.
func Stuck(statuses []Status, limit time.Duration) (sentences []string) {
	for _, s := range statuses {
		if s.Working > 0 && s.Working >= limit {
			since := time.Now().Add(-s.Working).Format(time.TimeOnly)
			sentences = append(sentences, fmt.Sprintf("%s is stuck: no progress since %s (%v)", s.Name, since, s.Working.Round(time.Second)))
		}
	}
	return sentences
}
