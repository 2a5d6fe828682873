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

// A Wire is an io.ReadCloser that delivers bytes at the times at which they are due, relative to the first. It imitates a serial line. Close
// may be called during a Read; otherwise a Wire has one user.
type Wire struct {
	// At is the time at which the bytes of the last Read were due; zero if that is not known.
	At    time.Time
	next  func() (due time.Time, bytes []byte, err error)
	rest  []byte // bytes that are due and not yet read
	speed int
	start time.Time // when the first bytes were delivered
	first time.Time // when the first bytes were due

	closed chan struct{}
	once   sync.Once
}

// NewWire returns a wire that delivers the bytes that next returns, speed times as fast as they are due, or without waiting if speed is 0.
// Bytes with a zero time are delivered at once. Read returns an error of next.
func NewWire(speed int, next func() (due time.Time, bytes []byte, err error)) *Wire {
	return &Wire{speed: speed, next: next, closed: make(chan struct{})}
}

// Read waits until bytes are due. It returns os.ErrClosed after Close.
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

// wait waits for the time due. It returns false if the wire is closed.
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

// Close ends a waiting Read.
func (w *Wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// telegrams is a simulated meter. Next returns the next telegram and the time at which it is due.
type telegrams interface {
	Next() (at time.Time, telegram []byte)
}

// NewSimulatedWire returns a wire that delivers the telegrams of m when they are due, speed times as fast as the meter sends them, or without
// waiting if speed is 0.
func NewSimulatedWire(m telegrams, speed int) *Wire {
	return NewWire(speed, func() (time.Time, []byte, error) {
		at, telegram := m.Next()
		return at, telegram, nil
	})
}

// SimulatedSource returns the source of a simulated meter of a family. Its household begins when the source is opened.
func SimulatedSource(f simulate.Family, seed uint64) probe.Source {
	return probe.Source{Options: meter.Options{Keys: KeysOf(f)}, Endpoints: probe.Fixed(probe.Endpoint{
		Port: "simulated " + f.Name, Line: f.Line,
		Dial: func(context.Context) (io.ReadCloser, error) {
			return NewSimulatedWire(simulate.NewMeter(f, seed, time.Now()), 1), nil
		},
	})}
}

// KeysOf returns the keys that decrypt the telegrams of a family of simulated meters. It returns nil if the family does not encrypt.
func KeysOf(f simulate.Family) []*dlms.Key {
	if f.Cipher == 0 {
		return nil
	}
	return []*dlms.Key{simulate.Key()}
}
