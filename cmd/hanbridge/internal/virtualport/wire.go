package virtualport

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A Wire gives bytes when they are due, as far apart as their times are.
type Wire struct {
	// At is when the bytes that were read last were due; zero where that is not known.
	At    time.Time
	next  func() (due time.Time, bytes []byte, err error)
	rest  []byte
	speed int
	start time.Time // when the first bytes came
	first time.Time // when they were due

	closed chan struct{}
	once   sync.Once
}

// NewWire returns a wire that gives what next returns, speed times as fast as it is due; 0 is without waiting. What has no time
// comes at once, and an error of next ends the wire.
func NewWire(speed int, next func() (due time.Time, bytes []byte, err error)) *Wire {
	return &Wire{speed: speed, next: next, closed: make(chan struct{})}
}

// Read waits until something is due.
func (w *Wire) Read(p []byte) (int, error) {
	for len(w.rest) == 0 {
		due, bytes, err := w.next()
		if err != nil {
			return 0, err
		}
		if !due.IsZero() && !w.wait(due) {
			return 0, os.ErrClosed
		}
		w.At, w.rest = due, bytes
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// wait returns when it is time, or false when the wire is closed.
func (w *Wire) wait(due time.Time) bool {
	if w.first.IsZero() {
		w.start, w.first = time.Now(), due
	}
	after := time.Duration(0)
	if w.speed > 0 {
		after = time.Until(w.start.Add(due.Sub(w.first) / time.Duration(w.speed)))
	}
	select {
	case <-w.closed:
		return false
	case <-time.After(after):
		return true
	}
}

// Close ends a Read that waits.
func (w *Wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// telegrams are what a meter sends, each with the time at which it is due.
type telegrams interface {
	Next() (at time.Time, telegram []byte)
}

// NewSimulatedWire returns a wire on which m sends each telegram when it is due, speed times as fast as the clock; 0 is without waiting.
func NewSimulatedWire(m telegrams, speed int) *Wire {
	return NewWire(speed, func() (time.Time, []byte, error) {
		at, telegram := m.Next()
		return at, telegram, nil
	})
}

// SimulatedSource is a household with a meter of a family that begins now.
func SimulatedSource(f simulate.Family, seed uint64) probe.Source {
	return probe.Source{Options: meter.Options{Keys: KeysOf(f)}, Endpoints: probe.Fixed(probe.Endpoint{
		Port: "simulated " + f.Name, Line: f.Line,
		Dial: func(context.Context) (io.ReadCloser, error) {
			return NewSimulatedWire(simulate.NewMeter(f, seed, time.Now()), 1), nil
		},
	})}
}

// KeysOf returns the key of a simulated meter that encrypts, none for another.
func KeysOf(f simulate.Family) []*dlms.Key {
	if f.Cipher == 0 {
		return nil
	}
	return []*dlms.Key{simulate.Key()}
}
