package source

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"go.bug.st/serial"
)

// slowPort takes its time to close. As ports do, it lets the second who closes it go on at once.
type slowPort struct {
	serial.Port
	begun, release chan struct{}
	closing, free  atomic.Bool
}

func (p *slowPort) Close() error {
	if p.closing.CompareAndSwap(false, true) {
		close(p.begun)
		<-p.release
		p.free.Store(true)
	}
	return nil
}

// TestWireIsFreeBehindAnyClose closes a wire from two sides, as the end of somebody's patience and its reader do: behind either
// the port may be opened again, so neither returns before it is closed.
func TestWireIsFreeBehindAnyClose(t *testing.T) {
	port := &slowPort{begun: make(chan struct{}), release: make(chan struct{})}
	w := newWire(port, io.NopCloser(nil))
	first := make(chan error, 1)
	go func() { first <- w.Close() }()
	<-port.begun
	time.AfterFunc(20*time.Millisecond, func() { close(port.release) }) // time enough to go on too early
	if err := w.Close(); err != nil || !port.free.Load() {
		t.Errorf("the second Close returned %v, and it is %v that the port is free", err, port.free.Load())
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}
