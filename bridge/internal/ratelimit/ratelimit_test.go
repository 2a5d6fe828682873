package ratelimit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// TestFloods: whatever others do each second for an hour, the log has few lines of it, and their counts tell of all.
func TestFloods(t *testing.T) {
	const events = 3600
	for _, tt := range []struct {
		name        string
		kind        func(i int) string
		over        int // after so many events; 0 for never
		least, most int // lines
	}{
		{"one kind", func(int) string { return "offline" }, 0, 6, 6},
		{"two kinds by turns", func(i int) string { return fmt.Sprint(i % 2) }, 0, 12, 12},
		{"each of its own kind", func(i int) string { return fmt.Sprint(i) }, 0, 12, 72},
		{"ends and begins with each", func(int) string { return "closed" }, 1, 7, 18},
		{"ends and begins with every second", func(i int) string { return fmt.Sprint(i % 2) }, 2, 14, 36},
		{"another port of this side each time", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("read tcp 192.0.2.1:%d->192.0.2.9:8088: connection reset by peer", 30000+i%30000))
		}, 0, 6, 6},
		{"the same in version 6", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("read tcp [2001:db8::1]:%d->[2001:db8::9]:8088: i/o timeout", 30000+i%30000))
		}, 0, 6, 6},
		{"another size each time", func(i int) string {
			return ratelimit.Normalize(fmt.Sprintf("closed behind a telegram of %d bytes", 900+i))
		}, 0, 6, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l ratelimit.Limiter
				lines, told := 0, 0
				for i := range events {
					if count, ok := l.Allow(tt.kind(i)); ok {
						lines, told = lines+1, told+count
					}
					if tt.over > 0 && (i+1)%tt.over == 0 {
						l.Recovered()
					}
					<-time.After(time.Second)
				}
				if lines < tt.least || lines > tt.most {
					t.Errorf("got %d lines, want %d to %d", lines, tt.least, tt.most)
				}
				if told > events {
					t.Errorf("the lines stand for %d events, and there were %d", told, events)
				}
				if tt.least == tt.most && told < events*8/10 { // the last ten minutes have not been told
					t.Errorf("the lines stand for %d events of %d", told, events)
				}
			})
		})
	}
}

// TestLater: what comes again after a long time is told at once, with what was not told before.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ratelimit.Limiter
		for i, want := range []struct {
			wait  time.Duration
			count int
			ok    bool
		}{{0, 1, true}, {time.Second, 0, false}, {time.Minute, 0, false}, {time.Hour, 3, true}, {time.Hour, 1, true}} {
			<-time.After(want.wait)
			if count, ok := l.Allow("kind"); count != want.count || ok != want.ok {
				t.Errorf("event %d: got %d, %v, want %d, %v", i, count, ok, want.count, want.ok)
			}
		}
	})
}

// TestManyAtOnce is for what several goroutines tell of.
func TestManyAtOnce(t *testing.T) {
	var l ratelimit.Limiter
	var lines atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if _, ok := l.Allow("offline"); ok {
					lines.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := lines.Load(); got != 1 {
		t.Errorf("got %d lines, want 1", got)
	}
}

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
