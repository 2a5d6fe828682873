package virtualport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A sender sends what a wire gives.
type sender struct {
	*cli.Program
	wire    *Wire
	count   int                  // of reads; 0 is all
	line    simulate.LineSetting // how the meter's port is set; the zero Wire is heard at any speed
	patient bool                 // at a TCP port it begins when the first program connects
}

// to sends to stdout, pty or tcp://HOST:PORT until the wire or ctx ends.
func (s *sender) to(ctx context.Context, place string) error {
	switch address, tcp := strings.CutPrefix(place, "tcp://"); {
	case place == "stdout":
		return s.write(ctx, s.Out)
	case place == "pty":
		return s.toPTY(ctx)
	case tcp:
		return s.toTCP(ctx, address)
	}
	return fmt.Errorf("--to %s: it is stdout, pty or tcp://HOST:PORT", place)
}

// write writes what each read of the wire gives in one piece. It ends well with the wire, with ctx, and when the reader of a pipe has gone.
func (s *sender) write(ctx context.Context, to io.Writer) error {
	defer context.AfterFunc(ctx, func() { _ = s.wire.Close() })()
	buf := make([]byte, 1<<16) // longer than any telegram
	for i := 0; s.count == 0 || i < s.count; i++ {
		n, err := s.wire.Read(buf)
		if errors.Is(err, os.ErrClosed) || errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := to.Write(buf[:n]); err != nil && ctx.Err() == nil {
			return cli.DataError(err)
		}
	}
	return nil
}

// toTCP sends to every program that connects to address, as a network-attached reader does.
func (s *sender) toTCP(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--to tcp://%s: %w", address, err)
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var a tcpClients
	defer a.leave()
	begins := ""
	if s.patient {
		begins = ", speaks when somebody connects"
	}
	fmt.Fprintf(s.Out, "meter on tcp://%s%s\n", l.Addr(), begins)
	if s.patient && !a.accept(l) {
		return nil // ctx has ended
	}
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		for a.accept(l) {
		}
	}()
	err = s.write(ctx, &a)
	_ = l.Close()
	<-accepted
	return err
}

// maxClients is how many may listen to a simulated meter at a time; more are sent away.
const maxClients = 64

// tcpClients is everyone who listens to a simulated meter.
type tcpClients struct {
	mu    sync.Mutex
	conns []net.Conn
}

// accept takes in the next who connects, where there is room. It returns false when l is closed.
func (a *tcpClients) accept(l net.Listener) bool {
	c, err := l.Accept()
	if err != nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.conns) < maxClients {
		a.conns = append(a.conns, c)
	} else {
		_ = c.Close()
	}
	return true
}

// Write sends b to everyone. Who has gone, or does not take it within a second, is left out from then on.
func (a *tcpClients) Write(b []byte) (int, error) {
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

func (a *tcpClients) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.conns {
		_ = c.Close()
	}
}
