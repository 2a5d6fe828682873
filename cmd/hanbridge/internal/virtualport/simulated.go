package virtualport

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatedWire is a wire on which a simulated meter sends each telegram when it is due.
type simulatedWire struct {
	*Pace
	meter telegrams
	rest  []byte
}

// telegrams are what a meter sends, each with the time at which it is due.
type telegrams interface {
	Next() (at time.Time, telegram []byte)
}

// NewSimulatedWire returns a wire on which m sends each telegram when it is due, speed times as fast as the clock; 0 is without waiting.
func NewSimulatedWire(m telegrams, speed int) *simulatedWire {
	return &simulatedWire{Pace: NewPace(speed), meter: m}
}

// Read waits for the next telegram.
func (w *simulatedWire) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		at, telegram := w.meter.Next()
		if !w.Wait(at) {
			return 0, os.ErrClosed
		}
		w.rest = telegram
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// SimulatedSource is a household with a meter of a family that begins now.
func SimulatedSource(f simulate.Family, seed uint64) probe.Source {
	return probe.Source{Options: meter.Options{Keys: SimulatedKey(f)}, Endpoints: probe.Fixed(probe.Endpoint{
		Port: "simulated " + f.Name, Line: f.Line,
		Dial: func(context.Context) (io.ReadCloser, error) {
			return NewSimulatedWire(simulate.NewMeter(f, seed, time.Now()), 1), nil
		},
	})}
}

// SimulatedKey returns the key of a simulated meter that encrypts, none for another.
func SimulatedKey(f simulate.Family) []*dlms.Key {
	if f.Cipher == 0 {
		return nil
	}
	return []*dlms.Key{simulate.Key()}
}
