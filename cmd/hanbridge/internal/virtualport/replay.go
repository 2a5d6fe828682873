package virtualport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// Replay sends the recording of the named file ("-" is standard input) to stdout, pty or tcp://HOST:PORT, speed times as fast as it
// came; 0 is without waiting.
func Replay(ctx context.Context, p *cli.Program, name, to string, speed int) error {
	if speed < 0 {
		return errors.New("--speed is not negative")
	}
	if name == "-" {
		signal.Reset() // a signal ends it at once, also while it waits for input
	}
	in, done, err := p.Open("replay", name)
	if err != nil {
		return err
	}
	defer done()
	wire := &ReplayedWire{Pace: NewPace(speed), Capture: capture.NewReader(in)}
	if err := replayTo(ctx, p, wire, to); err != nil || wire.rest != nil || ctx.Err() != nil {
		return err
	}
	return cli.DataError(fmt.Errorf("%s: nothing in it to send", name))
}

func replayTo(ctx context.Context, p *cli.Program, wire *ReplayedWire, to string) error {
	switch address, tcp := strings.CutPrefix(to, "tcp://"); {
	case to == "stdout":
		return send(ctx, wire, p.Out, 0)
	case to == "pty":
		wire.linger = time.Second
		return simulatePTY(ctx, p, wire, 0)
	case tcp:
		return replayTCP(ctx, p, wire, address)
	}
	return fmt.Errorf("--to %s: it is stdout, pty or tcp://HOST:PORT", to)
}

// replayTCP sends to every program that connects to address, from the moment at which the first one does.
func replayTCP(ctx context.Context, p *cli.Program, wire io.ReadCloser, address string) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--to tcp://%s: %w", address, err)
	}
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	fmt.Fprintf(p.Out, "meter on tcp://%s, speaks when somebody connects\n", l.Addr())
	first, err := l.Accept()
	if err != nil {
		return nil // ctx has ended
	}
	a := audience{conns: []net.Conn{first}}
	defer a.leave()
	accepted := make(chan struct{})
	go func() { defer close(accepted); a.welcome(l) }()
	err = send(ctx, wire, &a, 0)
	_ = l.Close()
	<-accepted
	return err
}

// ReplayedWire is a wire on which a capture is sent again.
type ReplayedWire struct {
	*Pace
	Capture *capture.Reader
	At      time.Time // when what was read last came; zero where that is not known
	rest    []byte    // of what came last; nil where nothing has
	// linger is how long the wire stays open behind the last bytes: a pseudo-terminal forgets what was not read when it closes.
	linger time.Duration
}

// Read waits for the time of what came next.
func (w *ReplayedWire) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		next, err := w.Capture.Next()
		if errors.Is(err, io.EOF) {
			w.Pause(w.linger)
		}
		if err != nil {
			return 0, err
		}
		if !next.At.IsZero() && !w.Wait(next.At) {
			return 0, os.ErrClosed
		}
		w.At, w.rest = next.At, next.Bytes
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}
