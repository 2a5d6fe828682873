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

// A Wire is an io.ReadCloser that imitates a serial line. It delivers the first bytes immediately. Later bytes are due at a time after the
// first bytes, and Read waits for that time. Close can be called during a Read. Otherwise a Wire must not be used concurrently.
type Wire struct {
	// At is the time at which the bytes of the last Read were due; zero if next gave no time.
	At        time.Time
	next      func() (due time.Time, bytes []byte, err error)
	unread    []byte // bytes that next returned and that were not read yet
	speed     int
	firstRead time.Time // when the first bytes were delivered
	firstDue  time.Time // when the first bytes were due

	closed chan struct{}
	once   sync.Once // closes closed only once
}

// NewWire returns a wire that delivers the bytes that next returns, speed times as fast as they are due. If speed is 0, the wire does not
// wait. Bytes with a zero time are delivered immediately. If next returns an error, Read returns it.
func NewWire(speed int, next func() (due time.Time, bytes []byte, err error)) *Wire {
	return &Wire{speed: speed, next: next, closed: make(chan struct{})}
}

// Read waits until bytes are due. It returns os.ErrClosed after Close.
func (w *Wire) Read(p []byte) (int, error) {
	for len(w.unread) == 0 {
		due, bytes, err := w.next()
		if err != nil {
			return 0, err
		}
		if !due.IsZero() && !w.wait(due) {
			return 0, os.ErrClosed
		}
		w.At, w.unread = due, bytes
	}
	n := copy(p, w.unread)
	w.unread = w.unread[n:]
	return n, nil
}

// wait waits until it is time to deliver the bytes with the time due. It returns false if the wire is closed.
func (w *Wire) wait(due time.Time) bool {
	if w.firstDue.IsZero() {
		w.firstRead, w.firstDue = time.Now(), due
	}
	delay := time.Duration(0)
	if w.speed > 0 {
		delay = time.Until(w.firstRead.Add(due.Sub(w.firstDue) / time.Duration(w.speed)))
	}
	select {
	case <-w.closed:
		return false
	case <-time.After(delay):
		return true
	}
}

// Close ends a waiting Read.
func (w *Wire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// simulatedMeter is a meter of the package simulate. Next returns the next telegram and the time at which the meter sends it.
type simulatedMeter interface {
	Next() (at time.Time, telegram []byte)
}

// NewSimulatedWire returns a wire that delivers the telegrams of m, speed times as fast as the meter sends them. If speed is 0, the wire does
// not wait.
func NewSimulatedWire(m simulatedMeter, speed int) *Wire {
	return NewWire(speed, func() (time.Time, []byte, error) {
		at, telegram := m.Next()
		return at, telegram, nil
	})
}

// SimulatedSource returns the source of a simulated meter of a family. The simulation begins when the endpoint is dialled.
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
