package ratelimit

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBackoffGrowsBetweenItsBounds(t *testing.T) {
	want := []time.Duration{100, 200, 400, 800, 1000, 1000} // ms, the most each may be
	for range 200 {
		b := Backoff{Min: 100 * time.Millisecond, Max: time.Second}
		for i, most := range want {
			most *= time.Millisecond
			if got := b.Next(); got < most/2 || got > most {
				t.Fatalf("attempt %d: got %v, want %v to %v", i, got, most/2, most)
			}
		}
		b.Reset()
		if got := b.Next(); got > 100*time.Millisecond {
			t.Fatalf("after reset: got %v, want at most 100 ms", got)
		}
	}
}

func TestBackoffIsSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 50 {
		b := Backoff{Min: time.Second, Max: time.Second}
		seen[b.Next()] = true
	}
	if len(seen) < 10 {
		t.Errorf("50 bridges wait %d different times: they would all come back at once", len(seen))
	}
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !Pause(t.Context(), time.Minute) || time.Since(start) != time.Minute {
			t.Errorf("undisturbed: waited %v, want 1m", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if Pause(ctx, time.Minute) || time.Since(start) != time.Second {
			t.Errorf("cancelled: waited %v, want 1s and false", time.Since(start))
		}
	})
}
