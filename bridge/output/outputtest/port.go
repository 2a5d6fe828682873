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

// A meterPort is the port of a simulated meter. The test calls send to send a telegram to the bridge.
type meterPort struct {
	meter     *simulate.Meter
	telegrams chan []byte  // telegrams that the bridge has not begun to read; closed at the end of a recording
	unread    atomic.Int32 // the number of telegrams that the bridge has not read completely
}

// newMeterPort returns the port of a meter of the family aidon-se. The channel has space for all telegrams of a test.
func newMeterPort() *meterPort {
	return &meterPort{meter: newMeter("aidon-se"), telegrams: make(chan []byte, 64)}
}

// newMeter returns a simulated meter of a family.
func newMeter(family string) *simulate.Meter {
	f, _ := simulate.Named(family)
	return simulate.NewMeter(f, 1, time.Now())
}

// send queues the next telegram and returns its values, keyed by the name of the quantity.
func (p *meterPort) send() map[string]string {
	_, b := p.meter.Next()
	telegram := bytes.Clone(b)
	p.unread.Add(1)
	p.telegrams <- telegram
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

// drain waits until the bridge has read every telegram. The bridge passes each telegram that it has read to the output, even if the bridge is
// stopped after that.
func (p *meterPort) drain(t *testing.T) {
	if n, ok := pollUntil(func() (int32, bool) { n := p.unread.Load(); return n, n == 0 }); !ok {
		t.Errorf("the bridge has not read %d telegrams", n)
	}
}

// endpoints returns the endpoints of a source that reads from the port.
func (p *meterPort) endpoints() func() ([]probe.Endpoint, error) {
	return probe.Fixed(probe.Endpoint{Port: "simulated", Line: "115200 8N1", Dial: func(context.Context) (io.ReadCloser, error) {
		return &portReader{meterPort: p, closed: make(chan struct{})}, nil
	}})
}

// A portReader is the bridge's connection to a meterPort.
type portReader struct {
	*meterPort
	rest   []byte // the part of the current telegram that Read has not returned
	closed chan struct{}
	once   sync.Once
}

// Read returns the bytes that the meter has sent. Telegrams that were sent before Close can be read after Close.
func (r *portReader) Read(p []byte) (int, error) {
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

// next waits for the next telegram. The error is io.EOF at the end of a recording, and io.ErrClosedPipe after Close.
func (r *portReader) next() ([]byte, error) {
	closed := r.closed
	if len(r.telegrams) > 0 {
		closed = nil // so that select chooses the telegram even after Close
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
func (r *portReader) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}
