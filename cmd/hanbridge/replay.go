package main

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

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

func replayCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "replay FILE|-",
		Short: "Sends what capture has kept, at the pace at which it came",
		Long: "Sends the bytes of a capture at the times at which they came: to standard output, to a serial port that exists only in\n" +
			"this machine (pty), or to every program that connects to an address. There it begins when the first one does.\n" +
			"Bytes or hexadecimal text without times are sent at once.",
		Example: "  hanbridge replay house.txt | hanbridge decode -\n" +
			"  hanbridge replay house.txt --to pty\n" +
			"  hanbridge replay house.txt --to tcp://127.0.0.1:8088 --speed 10",
		Args: takes(1, 1),
	}
	to := c.Flags().String("to", "stdout", "stdout, pty or tcp://HOST:PORT")
	speed := c.Flags().Int("speed", 1, "how many times as fast as it came; 0 is without waiting")
	c.RunE = func(c *cobra.Command, files []string) error { return runReplay(c.Context(), p, files[0], *to, *speed) }
	return c
}

func runReplay(ctx context.Context, p *cli.Program, name, to string, speed int) error {
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
	wire := &replayedWire{pace: newPace(speed), capture: source.NewCaptureReader(in)}
	if err := replayTo(ctx, p, wire, to); err != nil || wire.rest != nil || ctx.Err() != nil {
		return err
	}
	return cli.DataError(fmt.Errorf("%s: nothing in it to send", name))
}

func replayTo(ctx context.Context, p *cli.Program, wire *replayedWire, to string) error {
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

// replayedWire is a wire on which a capture is sent again.
type replayedWire struct {
	*pace
	capture *source.CaptureReader
	at      time.Time // when what was read last came; zero where that is not known
	rest    []byte    // of what came last; nil where nothing has
	// linger is how long the wire stays open behind the last bytes: a pseudo-terminal forgets what was not read when it closes.
	linger time.Duration
}

// Read waits for the time of what came next.
func (w *replayedWire) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		next, err := w.capture.Next()
		if errors.Is(err, io.EOF) {
			w.pause(w.linger)
		}
		if err != nil {
			return 0, err
		}
		if !next.At.IsZero() && !w.wait(next.At) {
			return 0, os.ErrClosed
		}
		w.at, w.rest = next.At, next.Bytes
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}
