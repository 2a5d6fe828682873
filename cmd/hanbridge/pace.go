package main

import (
	"sync"
	"time"
)

// pace waits until things are due, as far apart as their times are.
type pace struct {
	speed  int // times as fast as the clock; 0: without waiting
	start  time.Time
	first  time.Time // when the first thing is due
	closed chan struct{}
	once   sync.Once
}

func newPace(speed int) *pace { return &pace{speed: speed, closed: make(chan struct{})} }

// wait returns when what is due at a time is, counted from the first call, or false when the pace is closed.
func (p *pace) wait(at time.Time) bool {
	if p.first.IsZero() {
		p.start, p.first = time.Now(), at
	}
	after := time.Duration(0)
	if p.speed > 0 {
		after = time.Until(p.start.Add(at.Sub(p.first) / time.Duration(p.speed)))
	}
	return p.pause(after)
}

// pause returns after a time of the clock, or false when the pace is closed.
func (p *pace) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.closed:
		return false
	case <-timer.C:
		return true
	}
}

// Close ends what waits.
func (p *pace) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
