package virtualport

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// simulateTCP sends to every program that connects to address, as a network-attached reader does.
func simulateTCP(ctx context.Context, p *cli.Program, wire io.ReadCloser, address string, count int) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--to tcp://%s: %w", address, err)
	}
	defer l.Close()
	fmt.Fprintf(p.Out, "meter on tcp://%s\n", l.Addr())
	var a audience
	defer a.leave()
	accepted := make(chan struct{})
	go func() { defer close(accepted); a.welcome(l) }()
	err = send(ctx, wire, &a, count)
	l.Close()
	<-accepted
	return err
}

// mostListeners is how many may listen to a simulated meter at a time; more are sent away.
const mostListeners = 64

// audience is everyone who listens to a simulated meter.
type audience struct {
	mu    sync.Mutex
	conns []net.Conn
}

// welcome takes in who connects, until l is closed.
func (a *audience) welcome(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if !a.add(c) {
			_ = c.Close()
		}
	}
}

// add takes one in, where there is room.
func (a *audience) add(c net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.conns) >= mostListeners {
		return false
	}
	a.conns = append(a.conns, c)
	return true
}

// Write sends b to everyone. Who has gone, or does not take it within a second, is left out from then on.
func (a *audience) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conns = slices.DeleteFunc(a.conns, func(c net.Conn) bool {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, err := c.Write(b)
		if err != nil {
			_ = c.Close()
		}
		return err != nil
	})
	return len(b), nil
}

func (a *audience) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.conns {
		_ = c.Close()
	}
}
