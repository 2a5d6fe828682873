package mqtt

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
)

// TestBackoff tests the waits before everything is published again, for causes that follow each other.
func TestBackoff(t *testing.T) {
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var p backoff
	now := start
	for i, step := range []struct {
		after time.Duration // from the end of the last publication to the next cause
		want  time.Duration // the wait from then on
	}{
		{0, time.Second},               // the first
		{time.Second, 4 * time.Second}, // a second cause soon after
		{time.Second, 9 * time.Second},
		{30 * time.Second, time.Second}, // three starts of the hub
		{time.Second, 39 * time.Second},
		{0, time.Minute},
		{0, time.Minute},
		{10 * time.Minute, time.Second}, // a long time without a cause
		{0, 5 * time.Second},
	} {
		now = now.Add(step.after)
		got := p.wait(now, time.Second)
		if got != step.want {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
		now = now.Add(got)
		p.done(now)
	}
}

// TestBackoffOverADay tests how often everything is published again in a day in which there is always a new cause.
func TestBackoffOverADay(t *testing.T) {
	var p backoff
	start := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	n := 0
	for now := start; now.Before(start.Add(24 * time.Hour)); n++ {
		now = now.Add(p.wait(now, time.Second))
		p.done(now)
	}
	if n > 24*60+5 {
		t.Errorf("published again %d times in a day, want once a minute", n)
	}
}

// TestIncompleteScanResultOutlivesConnection tests that the result of an incomplete scan has the same lifetime on the next connection.
func TestIncompleteScanResultOutlivesConnection(t *testing.T) {
	o := New(Config{}, zerolog.Nop())
	o.devices, o.scanIncomplete = loadDevices(nil, &o.config), true
	newSession(o, nil, new(bridge.Feed)).adoptFound(nil)
	if got := time.Until(newSession(o, nil, new(bridge.Feed)).schedule[expireTask]); got < foundLifetime-time.Hour {
		t.Errorf("the lifetime ends in %v, want %v", got, foundLifetime)
	}
}
