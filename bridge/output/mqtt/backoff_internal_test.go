package mqtt

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
)

// TestBackoff tests how long a backoff waits before everything is published again. The gap is the shortest time between
// two publications. Each step has another cause of a publication, such as a hub that starts.
func TestBackoff(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var b backoff
	now := start
	for i, step := range []struct {
		after    time.Duration // from the last publication to the next cause
		wantWait time.Duration // from this cause to the next publication, at least 1 s
	}{
		{0, time.Second},                // no gap before the first publication
		{time.Second, 4 * time.Second},  // a gap of 5 s
		{time.Second, 9 * time.Second},  // a gap of 10 s
		{30 * time.Second, time.Second}, // a gap of 20 s, which is over
		{time.Second, 39 * time.Second}, // a gap of 40 s
		{0, time.Minute},                // the longest gap
		{0, time.Minute},                // the gap does not become longer
		{10 * time.Minute, time.Second}, // after 10 min the gap is zero again
		{0, 5 * time.Second},            // a gap of 5 s, as after the first publication
	} {
		now = now.Add(step.after)
		got := b.wait(now, time.Second)
		if got != step.wantWait {
			t.Errorf("step %d: got a wait of %v, want %v", i, got, step.wantWait)
		}
		now = now.Add(got)
		b.done(now)
	}
}

// TestBackoffOverADay tests that everything is published again at most about once a minute, even if there is always a new cause.
func TestBackoffOverADay(t *testing.T) {
	var b backoff
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	count := 0
	for now := start; now.Before(start.Add(24 * time.Hour)); count++ {
		now = now.Add(b.wait(now, time.Second))
		b.done(now)
	}
	if count > 24*60+5 { // the first gaps are shorter than a minute
		t.Errorf("everything was published again %d times in a day, want once a minute at most", count)
	}
}

// TestIncompleteScanResultOutlivesConnection tests that announcements that an incomplete scan found also remain for foundLifetime if the connection
// changes.
func TestIncompleteScanResultOutlivesConnection(t *testing.T) {
	o := New(Config{}, zerolog.Nop())
	o.devices, o.scanIncomplete = loadDevices(nil, &o.config), true
	newSession(o, nil, new(bridge.Subscription)).adoptFound(nil)
	if got := time.Until(newSession(o, nil, new(bridge.Subscription)).schedule[expireTask]); got < foundLifetime-time.Hour {
		t.Errorf("on the second connection, the announcements expire in %v, want about %v", got, foundLifetime)
	}
}
