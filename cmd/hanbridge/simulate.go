package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulation is what `simulate` is asked for.
type simulation struct {
	family, to, start string
	count, speed      int
	seed              uint64
	list              bool
}

func (p *program) simulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "A meter: sends the telegrams of a simulated household",
		Long: "Sends telegrams as a meter of the family would, byte for byte: to standard output, to a serial port that exists\n" +
			"only in this machine (pty), or to every program that connects to an address.",
		Example: "  hanbridge simulate --family aidon-se --count 3 | hanbridge decode -\n" +
			"  hanbridge simulate --family p1-se-kamstrup --to pty\n" +
			"  hanbridge simulate --family aidon-no --to tcp://127.0.0.1:8088",
		Args: cobra.NoArgs,
	}
	var s simulation
	f := c.Flags()
	f.StringVar(&s.family, "family", "aidon-se", "the kind of meter, `NAME` as --list names it")
	f.StringVar(&s.to, "to", "stdout", "stdout, pty or tcp://HOST:PORT")
	f.IntVar(&s.count, "count", 0, "how many telegrams; without it 10 to stdout, elsewhere until it is stopped")
	f.IntVar(&s.speed, "speed", 0, "how many times as fast as a real meter; without it as fast as possible to stdout, elsewhere 1")
	f.Uint64Var(&s.seed, "seed", 1, "another number is another household")
	f.StringVar(&s.start, "start", "", "the household's `TIME` at the first telegram, as 2026-01-31T12:00:00+01:00; without it now")
	f.BoolVar(&s.list, "list", false, "list the families")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.list {
			return p.listFamilies()
		}
		return p.simulate(c.Context(), s)
	}
	return c
}

func (p *program) listFamilies() error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAMILY\tMETER\tLINE\tEVERY")
	for _, f := range simulate.Families() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%v\n", f.Name, f.Title, f.Line, f.Interval)
	}
	return w.Flush()
}

func (p *program) simulate(ctx context.Context, s simulation) error {
	family, err := familyNamed(s.family)
	if err != nil {
		return err
	}
	start := time.Now()
	if s.start != "" {
		if start, err = time.Parse(time.RFC3339, s.start); err != nil {
			return fmt.Errorf("--start %s: write it as 2026-01-31T12:00:00+01:00", s.start)
		}
	}
	if s.count < 0 || s.speed < 0 {
		return errors.New("--count and --speed are not negative")
	}
	meter := simulate.NewMeter(family, s.seed, start)
	switch address, tcp := strings.CutPrefix(s.to, "tcp://"); {
	case s.to == "stdout":
		if s.count == 0 {
			s.count = 10
		}
		return send(ctx, newSimulatedWire(meter, s.speed), p.out, s.count)
	case s.to == "pty":
		return p.simulatePTY(ctx, newSimulatedWire(meter, max(s.speed, 1)), s.count)
	case tcp:
		return p.simulateTCP(ctx, newSimulatedWire(meter, max(s.speed, 1)), address, s.count)
	}
	return fmt.Errorf("--to %s: it is stdout, pty or tcp://HOST:PORT", s.to)
}

// send writes count telegrams, each when it is due and in one piece; 0 is without end. It ends well with ctx, and when the
// reader of a pipe has gone.
func send(ctx context.Context, wire *simulatedWire, to io.Writer, count int) error {
	defer context.AfterFunc(ctx, func() { _ = wire.Close() })()
	buf := make([]byte, 1<<16) // longer than any telegram
	for i := 0; count == 0 || i < count; i++ {
		n, err := wire.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return failure{err, exitData}
		}
	}
	return nil
}
