package ratelimit_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// TestLimiterFlood checks that an event each second for an hour causes few lines, and that the counts in the lines cover the events.
func TestLimiterFlood(t *testing.T) {
	const events = 3600
	for _, tt := range []struct {
		name               string
		kind               func(i int) string
		recovered          int // Recovered is called after every so many events; 0 for never
		minLines, maxLines int // in an hour, which is six times Period
	}{
		{"all events of one kind", func(int) string { return "offline" }, 0, 6, 6},
		{"two kinds that alternate", func(i int) string { return fmt.Sprint(i % 2) }, 0, 12, 12},
		{"a new kind each time", func(i int) string { return fmt.Sprint(i) }, 0, 12, 72}, // at most 12 lines in each Period
		{"recovered after each event", func(int) string { return "closed" }, 1, 7, 18},   // at most 3 lines in each Period
		{"recovered after every second event", func(i int) string { return fmt.Sprint(i % 2) }, 2, 14, 36},
		{"another local port each time, IPv4", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("read tcp 192.0.2.1:%d->192.0.2.9:8088: connection reset by peer", 30000+i%30000))
		}, 0, 6, 6},
		{"another local port each time, IPv6", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("read tcp [2001:db8::1]:%d->[2001:db8::9]:8088: i/o timeout", 30000+i%30000))
		}, 0, 6, 6},
		{"another size each time", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("closed after a telegram of %d bytes", 900+i))
		}, 0, 6, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l ratelimit.Limiter
				lines, counted := 0, 0
				for i := range events {
					if count, ok := l.Allow(tt.kind(i)); ok {
						lines, counted = lines+1, counted+count
					}
					if tt.recovered > 0 && (i+1)%tt.recovered == 0 {
						l.Recovered()
					}
					<-time.After(time.Second)
				}
				if lines < tt.minLines || lines > tt.maxLines {
					t.Errorf("got %d lines, want %d to %d", lines, tt.minLines, tt.maxLines)
				}
				if counted > events {
					t.Errorf("the counts add up to %d events, want at most %d", counted, events)
				}
				// The events of the last ten minutes, a sixth of all events, are not in a line yet.
				if tt.minLines == tt.maxLines && counted < events*8/10 {
					t.Errorf("the counts add up to %d events, want almost %d", counted, events)
				}
			})
		})
	}
}

// TestLimiterAfterPause checks that an event after more than Period is logged, with the number of events since the last line.
func TestLimiterAfterPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ratelimit.Limiter
		for i, event := range []struct {
			wait      time.Duration // before the event
			wantCount int
			wantOK    bool
		}{{0, 1, true}, {time.Second, 0, false}, {time.Minute, 0, false}, {time.Hour, 3, true}, {time.Hour, 1, true}} {
			<-time.After(event.wait)
			if count, ok := l.Allow("kind"); count != event.wantCount || ok != event.wantOK {
				t.Errorf("event %d: got %d, %v, want %d, %v", i, count, ok, event.wantCount, event.wantOK)
			}
		}
	})
}

// TestLimiterConcurrent checks that only one of many concurrent events of a kind is logged.
func TestLimiterConcurrent(t *testing.T) {
	var l ratelimit.Limiter
	var lines atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 1000 {
				if _, ok := l.Allow("offline"); ok {
					lines.Add(1)
				}
			}
		})
	}
	group.Wait()
	if got := lines.Load(); got != 1 {
		t.Errorf("got %d lines, want 1", got)
	}
}

// TestWindow checks that a Window allows the given number of events in each ten minutes.
func TestWindow(t *testing.T) {
	var w ratelimit.Window
	start, allowed := time.Now(), 0
	for i := range 1200 { // twenty minutes
		if w.Allow(start.Add(time.Duration(i)*time.Second), 3) {
			allowed++
		}
	}
	if allowed != 6 {
		t.Errorf("allowed %d times in twenty minutes, want 6", allowed)
	}
}

// TestBackoffBounds checks that each pause is between half of its upper bound and the bound, and that the bound doubles from Min to Max.
func TestBackoffBounds(t *testing.T) {
	bounds := []time.Duration{100, 200, 400, 800, 1000, 1000} // the upper bound of each pause, in ms
	for range 200 {
		b := ratelimit.Backoff{Min: 100 * time.Millisecond, Max: time.Second}
		for i, bound := range bounds {
			bound *= time.Millisecond
			if got := b.Next(); got < bound/2 || got > bound {
				t.Fatalf("attempt %d: got %v, want %v to %v", i, got, bound/2, bound)
			}
		}
		b.Reset()
		if got := b.Next(); got > 100*time.Millisecond {
			t.Fatalf("after reset: got %v, want at most 100 ms", got)
		}
	}
}

// TestBackoffRandom checks that the pauses of many bridges differ.
func TestBackoffRandom(t *testing.T) {
	pauses := map[time.Duration]bool{}
	for range 50 {
		b := ratelimit.Backoff{Min: time.Second, Max: time.Second}
		pauses[b.Next()] = true
	}
	if len(pauses) < 10 {
		t.Errorf("50 bridges: got %d different pauses, want at least 10", len(pauses))
	}
}

// TestPause checks that Pause ends with its time or with ctx, whichever is first.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !ratelimit.Pause(t.Context(), time.Minute) || time.Since(start) != time.Minute {
			t.Errorf("ctx does not end: waited %v, want 1m and true", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if ratelimit.Pause(ctx, time.Minute) || time.Since(start) != time.Second {
			t.Errorf("ctx ends after 1s: waited %v, want 1s and false", time.Since(start))
		}
	})
}
