package outputtest

import (
	"bytes"
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A wire is the port of a simulated meter. Each call of send by the test sends a telegram over the wire.
type wire struct {
	meter     *simulate.Meter
	telegrams chan []byte  // the sent telegrams; closed at the end of a recording
	unread    atomic.Int32 // the number of telegrams that the bridge has not read
}

// newWire returns the port of a meter of the family aidon-se.
func newWire() *wire {
	return &wire{meter: newMeter("aidon-se"), telegrams: make(chan []byte, 64)}
}

// newMeter returns a simulated meter of a family.
func newMeter(family string) *simulate.Meter {
	f, _ := simulate.Named(family)
	return simulate.NewMeter(f, 1, time.Now())
}

// send queues the next telegram and returns its values, keyed by the name of the quantity.
func (w *wire) send() map[string]string {
	_, b := w.meter.Next()
	telegram := bytes.Clone(b)
	w.unread.Add(1)
	w.telegrams <- telegram
	r, err := meter.NewDecoder(bytes.NewReader(telegram), meter.Options{}).Next()
	if err != nil {
		panic("outputtest: the decoder does not accept a telegram of the simulated meter: " + err.Error())
	}
	values := make(map[string]string, len(r.Samples))
	for i := range r.Samples {
		s := &r.Samples[i]
		values[s.ID.String()] = string(s.Value.AppendFixed(nil, s.Decimals()))
	}
	return values
}

// drain waits until the bridge has read every telegram. The bridge delivers every telegram that it has read, even if it is then stopped.
func (w *wire) drain(t *testing.T) {
	if n, ok := pollUntil(func() (int32, bool) { n := w.unread.Load(); return n, n == 0 }); !ok {
		t.Errorf("the bridge has not read %d telegrams", n)
	}
}

// endpoints returns the endpoints of a source that reads from the wire.
func (w *wire) endpoints() func() ([]probe.Endpoint, error) {
	return probe.Fixed(probe.Endpoint{Port: "simulated", Line: "115200 8N1", Dial: func(context.Context) (io.ReadCloser, error) {
		return &wireReader{wire: w, closed: make(chan struct{})}, nil
	}})
}

// A wireReader is the bridge's connection to a wire.
type wireReader struct {
	*wire
	rest   []byte // the part of the current telegram that Read has not returned
	closed chan struct{}
	once   sync.Once
}

// Read returns the sent bytes. After Close it still returns telegrams that were sent before.
func (r *wireReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		telegram, err := r.next()
		if err != nil {
			return 0, err
		}
		r.rest = telegram
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 {
		r.unread.Add(-1)
	}
	return n, nil
}

// next waits for the next telegram. The error is io.EOF at the end of a recording and io.ErrClosedPipe after Close.
func (r *wireReader) next() ([]byte, error) {
	closed := r.closed
	if len(r.telegrams) > 0 {
		closed = nil // the telegrams are returned first
	}
	select {
	case telegram, ok := <-r.telegrams:
		if !ok {
			return nil, io.EOF
		}
		return telegram, nil
	case <-closed:
		return nil, io.ErrClosedPipe
	}
}

// Close ends a blocked Read.
func (r *wireReader) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}
