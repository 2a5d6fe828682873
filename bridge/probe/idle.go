package probe

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// idleTimer closes a wire if no telegram arrives in time. Closing the wire ends a blocked Read.
type idleTimer struct {
	mu      sync.Mutex
	timer   *time.Timer // nil if the wire is never closed
	expired bool
	// silentUntil is the time until which the wire stays open if no byte has arrived.
	silentUntil time.Time
	extended    bool // the timeout was extended by one dwell; it is extended at most once after each telegram
	singlePass  bool // Options.SinglePass; if it is true, the timeout is not extended after a telegram
}

// partialVerdicts are the verdicts on bytes that contain a part of a telegram.
var partialVerdicts = []line.Verdict{line.FrameHeaders, line.P1Lines, line.DamagedBytes}

// newIdleTimer starts a timer that closes the wire after timeout; 0 means never. If no byte arrives, the wire remains open for the time silent if
// that is longer. If a part of a telegram has arrived, the wire remains open for one more dwell, so that the next telegram can arrive completely.
// If there is no other endpoint and the search is not a single pass, bytes of any kind also keep the wire open for one more dwell.
func newIdleTimer(wire io.Closer, a *Attempt, timeout, silent, dwell time.Duration, singlePass bool) *idleTimer {
	t := &idleTimer{silentUntil: time.Now().Add(silent), singlePass: singlePass}
	if timeout == 0 {
		return t
	}
	t.mu.Lock() // the function below uses t.timer, and must wait until t.timer is set
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(timeout, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		bytes, last := a.received()
		if left := time.Until(t.silentUntil); left > 0 && bytes == 0 {
			t.timer.Reset(min(dwell, left))
			return
		}
		const pause = 2 * time.Second // bytes arrive if the last byte is not older
		arriving := a.OnlyEndpoint && !singlePass && time.Since(last) < pause
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
		t.silentUntil, t.extended = time.Time{}, t.singlePass
		t.timer.Reset(timeout)
	}
}

func (t *idleTimer) stop() { t.restart(0) }

// hasExpired reports whether the timer has closed the wire.
func (t *idleTimer) hasExpired() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.expired
}
