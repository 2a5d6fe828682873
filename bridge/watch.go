package bridge

import (
	"io"
	"sync/atomic"
	"time"
)

// watch closes a wire that has not given a telegram in its time, which ends a blocked Read.
type watch struct {
	timer *time.Timer
	ended atomic.Bool
}

// newWatch starts to watch; patience 0 is for ever.
func newWatch(wire io.Closer, patience time.Duration) *watch {
	w := &watch{}
	if patience > 0 {
		w.timer = time.AfterFunc(patience, func() { w.ended.Store(true); wire.Close() })
	}
	return w
}

// extend starts the time again: a telegram has come.
func (w *watch) extend(patience time.Duration) {
	if w.timer != nil && patience > 0 {
		w.timer.Reset(patience)
	}
}

func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (w *watch) expired() bool { return w.ended.Load() }

// countingReader counts what it reads, so that silence can be told from garbage.
type countingReader struct {
	io.Reader
	n *atomic.Int64
}

func (r countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n.Add(int64(n))
	return n, err
}
