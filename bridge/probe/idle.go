package probe

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// idleTimer closes a wire if no telegram comes in time. That ends a blocked Read.
type idleTimer struct {
	mu      sync.Mutex
	timer   *time.Timer // nil if the wire is never closed
	expired bool
	// silentUntil is the time until which the wire stays open if not a single byte has arrived.
	silentUntil  time.Time
	extended     bool // the wire has stayed open for one more dwell
	neverExtends bool // after a telegram, the wire does not stay open for one more dwell
}

// partialVerdicts are the verdicts on bytes that contain a part of a telegram.
var partialVerdicts = []line.Verdict{line.FrameHeaders, line.P1Lines, line.DamagedBytes}

// newIdleTimer starts the timer of a wire, which closes it after timeout; 0 means never. As long as no byte has come, the wire stays open
// for silent. If a part of a telegram has come, the wire stays open for one more dwell: a telegram takes up to 3 s, and the beginning of
// the first one was possibly missed. For the only endpoint of a search with repeated rounds, bytes of any kind that are arriving have the
// same effect.
func newIdleTimer(wire io.Closer, a *Attempt, timeout, silent, dwell time.Duration, singlePass bool) *idleTimer {
	t := &idleTimer{silentUntil: time.Now().Add(silent), neverExtends: singlePass}
	if timeout == 0 {
		return t
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(timeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		bytes, last := a.received()
		if left := time.Until(t.silentUntil); left > 0 && bytes == 0 {
			t.timer.Reset(min(dwell, left))
			return
		}
		arriving := a.OnlyEndpoint && !singlePass && time.Since(last) < 4*messageGap
		if !t.extended && (arriving || slices.Contains(partialVerdicts, a.Finding().Verdict)) {
			t.extended = true
			t.timer.Reset(dwell)
			return
		}
		t.expired = true
		wire.Close()
	})
	return t
}

// restart restarts the timer after a telegram. A timeout of 0 stops it.
func (t *idleTimer) restart(timeout time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.timer == nil || t.expired:
	case timeout == 0:
		t.timer.Stop()
	default:
		t.silentUntil, t.extended = time.Time{}, t.neverExtends
		t.timer.Reset(timeout)
	}
}

func (t *idleTimer) stop() { t.restart(0) }

func (t *idleTimer) hasExpired() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expired
}
