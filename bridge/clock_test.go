package bridge

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// runClock runs a clock until the test calls stop. The function at returns an alarm that appends the time since the start of the test to the result.
func runClock(t *testing.T) (c *clock, at func(rings *[]time.Duration) *alarm, stop func()) {
	t.Helper()
	c = newClock()
	ctx, cancel := context.WithCancel(t.Context())
	done, began := make(chan struct{}), time.Now()
	go func() { c.run(ctx); close(done) }()
	at = func(rings *[]time.Duration) *alarm {
		return c.add(func(now time.Time) { *rings = append(*rings, now.Sub(began)) })
	}
	return c, at, func() { cancel(); <-done }
}

// TestClock checks that the function of an alarm is called once for each time that was set, also if the time was moved.
func TestClock(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name string
		sets []time.Duration // one a second, each relative to its own second; negative means that none is set
		want []time.Duration // since the start
	}{
		{"one time", []time.Duration{5 * s}, []time.Duration{5 * s}},
		{"a later time in place of the first", []time.Duration{5 * s, 5 * s, 5 * s}, []time.Duration{7 * s}},
		{"an earlier time in place of the first", []time.Duration{5 * s, s}, []time.Duration{2 * s}},
		{"a time that is over", []time.Duration{0}, []time.Duration{0}},
		{"a time after the call", []time.Duration{s, -1, -1, 5 * s}, []time.Duration{s, 8 * s}},
		{"more than an hour", []time.Duration{3 * time.Hour}, []time.Duration{3 * time.Hour}},
		{"no time", []time.Duration{-1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var rings, others []time.Duration
				_, at, stop := runClock(t)
				a := at(&rings)
				at(&others).set(time.Now().Add(4 * s)) // another alarm has no effect
				for _, wait := range tt.sets {
					if wait >= 0 {
						a.set(time.Now().Add(wait))
					}
					advanceBy(s)
				}
				advanceBy(5 * time.Hour)
				stop()
				if !slices.Equal(rings, tt.want) || !slices.Equal(others, []time.Duration{4 * s}) {
					t.Errorf("got calls after %v, and of the other alarm after %v; want %v and 4s", rings, others, tt.want)
				}
			})
		})
	}
}

// TestClockRemove checks that an alarm that was removed is not called, also if its time is set again.
func TestClockRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rings []time.Duration
		c, at, stop := runClock(t)
		a := at(&rings)
		a.set(time.Now().Add(time.Second))
		a.remove()
		a.set(time.Now().Add(2 * time.Second))
		advanceBy(time.Minute)
		stop()
		if len(rings) > 0 || len(c.alarms) > 0 {
			t.Errorf("got calls after %v and %d alarms, want none", rings, len(c.alarms))
		}
	})
}

// advanceBy lets the fake time of synctest pass.
func advanceBy(d time.Duration) { <-time.After(d) }
