package probe

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// idleTimer closes a wire on which no telegram came in time, which ends a blocked Read.
type idleTimer struct {
	mu      sync.Mutex
	timer   *time.Timer // nil: the wire is never closed
	expired bool
	// silentUntil is how long the wire stays open while not a byte has come.
	silentUntil time.Time
	extended    bool // it has waited for one dwell more
	exact       bool // behind a telegram it does not
}

// parts are what bytes look like that hold a part of a telegram.
var parts = []line.Verdict{line.FrameHeaders, line.P1Lines, line.DamagedBytes}

// newIdleTimer starts the time of a wire. A patience of 0 has no end. As long as no byte has come, the wire stays open for silent. If a
// part of a telegram has come, it waits once more for dwell: a telegram takes up to 3 s, and the first may have come while the wire was
// opened. For the only endpoint of a search that goes on, bytes of any kind that arrive at that moment are enough for that.
func newIdleTimer(wire io.Closer, a *Attempt, patience, silent, dwell time.Duration, once bool) *idleTimer {
	t := &idleTimer{silentUntil: time.Now().Add(silent), exact: once}
	if patience == 0 {
		return t
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(patience, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		bytes, last := a.received()
		if left := time.Until(t.silentUntil); left > 0 && bytes == 0 {
			t.timer.Reset(min(dwell, left))
			return
		}
		arriving := a.OnlyEndpoint && !once && time.Since(last) < 4*silence
		if !t.extended && (arriving || slices.Contains(parts, a.Finding().Verdict)) {
			t.extended = true
			t.timer.Reset(dwell)
			return
		}
		t.expired = true
		wire.Close()
	})
	return t
}

// extend starts the time again, since a telegram has come. A patience of 0 has no end.
func (t *idleTimer) extend(patience time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.timer == nil || t.expired:
	case patience == 0:
		t.timer.Stop()
	default:
		t.silentUntil, t.extended = time.Time{}, t.exact
		t.timer.Reset(patience)
	}
}

func (t *idleTimer) stop() { t.extend(0) }

func (t *idleTimer) hasExpired() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expired
}
