package virtualport

import (
	"sync"
	"time"
)

// Pace waits until things are due, as far apart as their times are.
type Pace struct {
	speed  int // times as fast as the clock; 0: without waiting
	start  time.Time
	first  time.Time // when the first thing is due
	Closed chan struct{}
	once   sync.Once
}

// NewPace returns a Pace that is so many times as fast as the clock; 0 is without waiting.
func NewPace(speed int) *Pace { return &Pace{speed: speed, Closed: make(chan struct{})} }

// Wait returns when what is due at a time is, counted from the first call, or false when the pace is closed.
func (p *Pace) Wait(at time.Time) bool {
	if p.first.IsZero() {
		p.start, p.first = time.Now(), at
	}
	after := time.Duration(0)
	if p.speed > 0 {
		after = time.Until(p.start.Add(at.Sub(p.first) / time.Duration(p.speed)))
	}
	return p.Pause(after)
}

// Pause returns after a time of the clock, or false when the pace is closed.
func (p *Pace) Pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.Closed:
		return false
	case <-timer.C:
		return true
	}
}

// Close ends what waits.
func (p *Pace) Close() error {
	p.once.Do(func() { close(p.Closed) })
	return nil
}
