package source

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.bug.st/serial"
)

// slowPort is a port whose first Close takes long. As with real ports, a second Close does not wait for the first Close.
type slowPort struct {
	serial.Port
	begun   chan struct{} // closed when the first Close begins
	release chan struct{} // the first Close ends after release was closed
	closing atomic.Bool   // the first Close has begun
	free    atomic.Bool   // the first Close has ended
}

func (p *slowPort) Close() error {
	if p.closing.CompareAndSwap(false, true) {
		close(p.begun)
		<-p.release
		p.free.Store(true)
	}
	return nil
}

// TestPortIsFreeAfterAnyClose checks that no Close returns before the port is closed, if two goroutines close a wire at the same time. This
// matters because a goroutine can open the port again after its Close.
func TestPortIsFreeAfterAnyClose(t *testing.T) {
	port := &slowPort{begun: make(chan struct{}), release: make(chan struct{})}
	w := newWire(io.NopCloser(nil), port, io.NopCloser(nil), UsualLines[0])
	firstErr := make(chan error, 1)
	go func() { firstErr <- w.Close() }()
	<-port.begun
	time.AfterFunc(20*time.Millisecond, func() { close(port.release) }) // in this time, a faulty second Close would return
	if err := w.Close(); err != nil || !port.free.Load() {
		t.Errorf("second Close: got error %v, port is closed: %v; want nil and true", err, port.free.Load())
	}
	if err := <-firstErr; err != nil {
		t.Error(err)
	}
}

// TestExplainNetwork checks the advice for each kind of network error, and that the error is wrapped.
func TestExplainNetwork(t *testing.T) {
	dialed := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	connect := func(n syscall.Errno) error { return dialed(os.NewSyscallError("connect", n)) }
	tests := []struct {
		kind string
		err  error
		want string // a part of the advice
	}{
		{"connection refused", connect(syscall.ECONNREFUSED), "nothing listens on this port"},
		{"unknown name", dialed(&net.DNSError{Err: "no such host", Name: "reader.local", IsNotFound: true}), "in digits"},
		{"name server does not answer", dialed(&net.DNSError{Err: "i/o timeout", Name: "reader", IsTimeout: true}), "the name server gives no answer"},
		{"name server reports a failure", dialed(&net.DNSError{Err: "server misbehaving", Name: "reader", IsTemporary: true}), "the name server gives no answer"},
		{"no route to the host", connect(syscall.EHOSTUNREACH), "in a network that this machine reaches"},
		{"no route to the network", connect(syscall.ENETUNREACH), "in a network that this machine reaches"},
		{"time-out of the system", connect(syscall.ETIMEDOUT), "nothing answers"},
		{"time-out of the dialer", dialed(os.ErrDeadlineExceeded), "nothing answers"},
		{"time-out of the context", dialed(context.DeadlineExceeded), "nothing answers"},
		{"an error without specific advice", connect(syscall.EADDRNOTAVAIL), "is this its address and port"},
	}
	for _, tt := range tests {
		got := explainNetwork(tt.err)
		if !errors.Is(got, tt.err) || !strings.Contains(got.Error(), tt.want) || !strings.HasPrefix(got.Error(), tt.err.Error()) {
			t.Errorf("%s: got %q, want it to begin with and wrap %q, and to contain %q", tt.kind, got, tt.err, tt.want)
		}
	}
}
