package main

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatedWire is a wire on which a simulated meter sends each telegram when it is due.
type simulatedWire struct {
	meter  *simulate.Meter
	speed  int // times as fast as the clock; 0: without waiting
	start  time.Time
	first  time.Time // when the first telegram is due
	rest   []byte
	closed chan struct{}
	once   sync.Once
}

func newSimulatedWire(m *simulate.Meter, speed int) *simulatedWire {
	return &simulatedWire{meter: m, speed: speed, closed: make(chan struct{})}
}

// Read waits for the next telegram.
func (w *simulatedWire) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		at, telegram := w.meter.Next()
		if !w.wait(at) {
			return 0, os.ErrClosed
		}
		w.rest = telegram
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// wait returns when the telegram that is due at a simulated time is, or false when the wire is closed.
func (w *simulatedWire) wait(at time.Time) bool {
	if w.first.IsZero() {
		w.start, w.first = time.Now(), at
	}
	after := time.Duration(0)
	if w.speed > 0 {
		after = time.Until(w.start.Add(at.Sub(w.first) / time.Duration(w.speed)))
	}
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-w.closed:
		return false
	case <-timer.C:
		return true
	}
}

// Close ends a Read that waits.
func (w *simulatedWire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

// simulatedSource is a household with a meter of a family that begins now.
func simulatedSource(f simulate.Family, seed uint64) bridge.Source {
	return bridge.Source{Candidates: []bridge.Candidate{{
		Port: "simulated " + f.Name, Line: f.Line,
		Dial: func(context.Context) (io.ReadCloser, error) {
			return newSimulatedWire(simulate.NewMeter(f, seed, time.Now()), 1), nil
		},
	}}}
}
