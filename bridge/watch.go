package bridge

import (
	"io"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// watch closes a wire that has not given a telegram in its time, which ends a blocked Read.
type watch struct {
	mu    sync.Mutex
	timer *time.Timer // nil: for ever
	until time.Time   // it may be silent
	extra bool        // it has been given a dwell more
	alone bool        // it is the only endpoint: while bytes of any kind arrive, the wire stays open for one more dwell
	ended bool
}

// pieces are what bytes look like in which there is a part of a telegram.
var pieces = []line.Verdict{line.Frames, line.Text, line.Lossy}

// newWatch starts to watch; patience 0 is for ever. As long as e has heard no byte it waits for silent instead; where it has
// heard a piece of a telegram, once more for a dwell: one takes up to 3 s, and the first may have come while the wire was opened.
func newWatch(wire io.Closer, patience, silent time.Duration, e *ear, alone bool) *watch {
	w := &watch{until: time.Now().Add(silent), alone: alone}
	if patience == 0 {
		return w
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		verdict, _ := e.verdict()
		bytes, last := e.heard()
		if left := time.Until(w.until); left > 0 && bytes == 0 {
			w.timer.Reset(min(dwell, left))
			return
		}
		if busy := w.alone && time.Since(last) < 4*lull; !w.extra && (busy || slices.Contains(pieces, verdict)) {
			w.extra = true
			w.timer.Reset(dwell)
			return
		}
		w.ended = true
		wire.Close()
	})
	return w
}

// extend starts the time again: a telegram has come.
func (w *watch) extend(patience time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil && patience > 0 && !w.ended {
		w.until, w.extra = time.Time{}, false
		w.timer.Reset(patience)
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *watch) expired() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// ear keeps what the bytes of a wire look like, for when they hold no telegram. The pipeline and its timers share it.
type ear struct {
	mu       sync.Mutex
	evidence line.Evidence
	of       probe.Endpoint // that the evidence is of
	rest     time.Time      // it does not listen until then
	bytes    int64          // since the wire was opened
	last     time.Time      // when the last of them came
}

// open begins with another wire. One of the same endpoint adds to what is known: a reader may end each connection.
func (e *ear) open(c probe.Endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !c.Is(e.of) {
		e.evidence.Reset()
	}
	e.evidence.Begin()
	e.of, e.rest, e.bytes, e.last = c, time.Time{}, 0, time.Time{}
}

// heard returns how many bytes have come since the wire was opened, and when the last came.
func (e *ear) heard() (bytes int64, last time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bytes, e.last
}

func (e *ear) hear(b []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.bytes += int64(len(b)); len(b) > 0 {
		e.last = now
	}
	if e.rest.IsZero() || now.After(e.rest) {
		e.evidence.Add(b)
	}
}

// forget begins anew, after a while: as long as telegrams come, to look at each byte would cost more than to read them.
func (e *ear) forget(rest time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rest = rest
	if e.evidence.Bytes() > 0 {
		e.evidence.Reset()
	}
}

// verdict returns what the bytes look like, and how many there were.
func (e *ear) verdict() (line.Verdict, int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.evidence.Verdict(), e.evidence.Bytes()
}

// overheard is a wire with an ear, which also tells the decoder of pauses.
type overheard struct {
	io.Reader
	*ear
	decoder *meter.Decoder
}

// lull is longer than any between the parts of a message, and shorter than that between two messages.
const lull = 500 * time.Millisecond

func (r overheard) Read(p []byte) (int, error) {
	asked := time.Now()
	n, err := r.Reader.Read(p)
	if time.Since(asked) >= lull {
		r.decoder.Silence()
	}
	r.hear(p[:n])
	return n, err
}
