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

// slowPort is slow to close. As with real ports, a second Close returns at once.
type slowPort struct {
	serial.Port
	begun, release chan struct{}
	closing, free  atomic.Bool // closing is set at the start of the first Close, free at its end
}

func (p *slowPort) Close() error {
	if p.closing.CompareAndSwap(false, true) {
		close(p.begun)
		<-p.release
		p.free.Store(true)
	}
	return nil
}

// TestPortIsFreeAfterAnyClose closes a wire twice at the same time, as an idle timer and a reader do. After either Close the port can be
// opened again, so neither must return before the port is closed.
func TestPortIsFreeAfterAnyClose(t *testing.T) {
	port := &slowPort{begun: make(chan struct{}), release: make(chan struct{})}
	w := newWire(port, io.NopCloser(nil))
	first := make(chan error, 1)
	go func() { first <- w.Close() }()
	<-port.begun
	time.AfterFunc(20*time.Millisecond, func() { close(port.release) }) // time for the second Close to return too early
	if err := w.Close(); err != nil || !port.free.Load() {
		t.Errorf("the second Close returned %v, and the port is free: %v; want nil and true", err, port.free.Load())
	}
	if err := <-first; err != nil {
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
		want string
	}{
		{"refused", connect(syscall.ECONNREFUSED), "nothing listens on this port"},
		{"name unknown", dialed(&net.DNSError{Err: "no such host", Name: "reader.local", IsNotFound: true}), "in digits"},
		{"name server silent", dialed(&net.DNSError{Err: "i/o timeout", Name: "reader", IsTimeout: true}), "the name server gives no answer"},
		{"name server in trouble", dialed(&net.DNSError{Err: "server misbehaving", Name: "reader", IsTemporary: true}), "the name server gives no answer"},
		{"no route to the host", connect(syscall.EHOSTUNREACH), "in a network that this machine reaches"},
		{"no route to the network", connect(syscall.ENETUNREACH), "in a network that this machine reaches"},
		{"time-out of the system", connect(syscall.ETIMEDOUT), "nothing answers"},
		{"time-out of the dialer", dialed(os.ErrDeadlineExceeded), "nothing answers"},
		{"time-out of the context", dialed(context.DeadlineExceeded), "nothing answers"},
		{"an error without its own advice", connect(syscall.EADDRNOTAVAIL), "is this its address and port"},
	}
	for _, tt := range tests {
		got := explainNetwork(tt.err)
		if !errors.Is(got, tt.err) || !strings.Contains(got.Error(), tt.want) || !strings.HasPrefix(got.Error(), tt.err.Error()) {
			t.Errorf("%s: got %q, want %q in it", tt.kind, got, tt.want)
		}
	}
}
