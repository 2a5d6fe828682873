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

// sender sends the bytes of a wire to a destination.
type sender struct {
	*cli.Program
	wire        *Wire
	count       int                  // number of reads of the wire, each of which is a telegram; 0 for no limit
	line        simulate.LineSetting // line setting of the meter; if it is zero, a reader at any speed receives the bytes unchanged
	awaitClient bool                 // sending to a TCP port begins when a client has connected
}

// send sends the bytes of the wire to destination: stdout, pty or tcp://HOST:PORT. It returns after count reads, or when the wire or ctx ends.
func (s *sender) send(ctx context.Context, destination string) error {
	switch address, isTCP := strings.CutPrefix(destination, "tcp://"); {
	case destination == "stdout":
		return s.write(ctx, s.Out)
	case destination == "pty":
		return s.sendToPTY(ctx)
	case isTCP:
		return s.sendToTCP(ctx, address)
	}
	return fmt.Errorf("--to %s: want stdout, pty or tcp://HOST:PORT", destination)
}

// write copies the wire to w, with one Write for each read. It returns nil after count reads, or when the wire or ctx ends.
func (s *sender) write(ctx context.Context, w io.Writer) error {
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
		if _, err := w.Write(buf[:n]); err != nil && ctx.Err() == nil {
			return cli.DataError(err)
		}
	}
	return nil
}

// sendToTCP listens on address, and sends the bytes of the wire to every client. Network readers do the same.
func (s *sender) sendToTCP(ctx context.Context, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--to tcp://%s: %w", address, err)
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var clients tcpClients
	defer clients.closeAll()
	note := ""
	if s.awaitClient {
		note = ", sends when a client has connected"
	}
	fmt.Fprintf(s.Out, "meter on tcp://%s%s\n", l.Addr(), note)
	if s.awaitClient && !clients.accept(l) {
		return nil // ctx has ended
	}
	acceptDone := make(chan struct{})
	go func() {
		defer close(acceptDone)
		for clients.accept(l) {
		}
	}()
	err = s.write(ctx, &clients)
	_ = l.Close()
	<-acceptDone
	return err
}

// maxClients is the maximum number of clients of a simulated meter. Further connections are closed.
const maxClients = 64

// tcpClients holds the connections of the clients of a simulated meter. It is safe for concurrent use.
type tcpClients struct {
	mu    sync.Mutex
	conns []net.Conn
}

// accept accepts the next client, unless maxClients are connected. It returns false when l is closed.
func (t *tcpClients) accept(l net.Listener) bool {
	c, err := l.Accept()
	if err != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.conns) < maxClients {
		t.conns = append(t.conns, c)
	} else {
		_ = c.Close()
	}
	return true
}

// Write sends b to all clients. It closes the connection of a client that does not accept b within a second.
func (t *tcpClients) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = slices.DeleteFunc(t.conns, func(c net.Conn) bool {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, err := c.Write(b)
		if err != nil {
			_ = c.Close()
		}
		return err != nil
	})
	return len(b), nil
}

// closeAll closes all connections.
func (t *tcpClients) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.conns {
		_ = c.Close()
	}
}
