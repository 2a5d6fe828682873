package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulation is what `simulate` is asked for.
type simulation struct {
	family, then, to, start string
	faults                  []string
	count, speed            int
	seed                    uint64
	list                    bool
}

func simulateCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "A meter: sends the telegrams of a simulated household",
		Long: "Sends telegrams as a meter of the family would, byte for byte: to standard output, to a serial port that exists\n" +
			"only in this machine (pty), or to every program that connects to an address.\n\n" +
			"A program that has set the pty to another speed than the meter's hears what a serial port would hear of it. Parity\n" +
			"and data bits do not matter there: a pty knows none. Until a program sets the speed it is the meter's.\n\n" +
			"Meters that encrypt all use these keys, which are no secret:\n" + simulatedKeys + "\n\n" +
			"Faults, for --fault; where they strike follows from the seed:\n" + faultTable(),
		Example: "  hanbridge simulate --family aidon-se --count 3 | hanbridge decode -\n" +
			"  hanbridge simulate --family p1-se-kamstrup --to pty\n" +
			"  hanbridge simulate --family aidon-no --to tcp://127.0.0.1:8088\n" +
			"  hanbridge simulate --family p1-nl-5 --fault crc=10,noise | hanbridge decode -",
		Args: takes(0, 0),
	}
	var s simulation
	f := c.Flags()
	f.StringVar(&s.family, "family", "aidon-se", "the kind of meter, `NAME` as --list names it")
	f.StringVar(&s.to, "to", "stdout", "stdout, pty or tcp://HOST:PORT")
	f.IntVar(&s.count, "count", 0, "how many telegrams; without it 10 to stdout, elsewhere until it is stopped")
	f.IntVar(&s.speed, "speed", 0, "how many times as fast as a real meter; without it as fast as possible to stdout, elsewhere 1")
	f.Uint64Var(&s.seed, "seed", 1, "another number is another household")
	f.StringVar(&s.start, "start", "", "the household's `TIME` at the first telegram, as 2026-01-31T12:00:00+01:00; without it now")
	f.StringSliceVar(&s.faults, "fault", nil, "what goes wrong, `KIND` or KIND=N, more than one with commas")
	f.StringVar(&s.then, "then", "", "the family after the fault profile, `NAME`; without it p1-se-aidon, or aidon-se after that one")
	f.BoolVar(&s.list, "list", false, "list the families")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.list {
			return listFamilies(p)
		}
		return runSimulate(c.Context(), p, s)
	}
	return c
}

func runSimulate(ctx context.Context, p *cli.Program, s simulation) error {
	family, err := familyNamed(s.family)
	if err != nil {
		return err
	}
	meter, err := s.meter(family)
	if err != nil {
		return err
	}
	switch address, tcp := strings.CutPrefix(s.to, "tcp://"); {
	case s.to == "stdout":
		if s.count == 0 {
			s.count = 10
		}
		return send(ctx, newSimulatedWire(meter, s.speed), p.Out, s.count)
	case s.to == "pty":
		return sendToPTY(ctx, p, newSimulatedWire(meter, max(s.speed, 1)), family.Wire(), s.count)
	case tcp:
		return simulateTCP(ctx, p, newSimulatedWire(meter, max(s.speed, 1)), address, s.count)
	}
	return fmt.Errorf("--to %s: it is stdout, pty or tcp://HOST:PORT", s.to)
}

// meter returns the meter of the family as it was asked for, with its faults.
func (s *simulation) meter(family simulate.Family) (telegrams, error) {
	start := time.Now()
	if s.start != "" {
		var err error
		if start, err = time.Parse(time.RFC3339, s.start); err != nil {
			return nil, fmt.Errorf("--start %s: write it as 2026-01-31T12:00:00+01:00", s.start)
		}
	}
	if s.count < 0 || s.speed < 0 {
		return nil, errors.New("--count and --speed are not negative")
	}
	var faults []simulate.Fault
	for _, text := range s.faults {
		f, err := simulate.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		faults = append(faults, f)
	}
	then, err := s.next(family)
	if err != nil {
		return nil, err
	}
	return simulate.NewFaulty(simulate.NewMeter(family, s.seed, start), s.seed, then, faults...), nil
}

// next returns the family that a meter is after the fault profile.
func (s *simulation) next(family simulate.Family) (simulate.Family, error) {
	switch {
	case s.then != "":
		return familyNamed(s.then)
	case family.Name == "p1-se-aidon":
		return familyNamed("aidon-se")
	}
	return familyNamed("p1-se-aidon")
}

// send writes what count reads of wire give, each in one piece; 0 is all of them. It ends well with wire, with ctx, and when
// the reader of a pipe has gone.
func send(ctx context.Context, wire io.ReadCloser, to io.Writer, count int) error {
	defer context.AfterFunc(ctx, func() { _ = wire.Close() })()
	buf := make([]byte, 1<<16) // longer than any telegram
	for i := 0; count == 0 || i < count; i++ {
		n, err := wire.Read(buf)
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
