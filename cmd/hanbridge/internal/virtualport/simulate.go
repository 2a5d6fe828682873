// Package virtualport plays a meter: it sends simulated or recorded telegrams to a pseudo-terminal, a TCP port or
// standard output, at the pace of a real wire.
package virtualport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// Simulation is what `simulate` is asked for.
type Simulation struct {
	Family, Then, To, Start string
	Faults                  []string
	Count, Speed            int
	Seed                    uint64
	List                    bool
}

// Simulate sends the telegrams that s asks for until ctx ends.
func Simulate(ctx context.Context, p *cli.Program, s Simulation) error {
	family, err := Family(s.Family)
	if err != nil {
		return err
	}
	meter, err := s.meter(family)
	if err != nil {
		return err
	}
	switch address, tcp := strings.CutPrefix(s.To, "tcp://"); {
	case s.To == "stdout":
		if s.Count == 0 {
			s.Count = 10
		}
		return send(ctx, NewSimulatedWire(meter, s.Speed), p.Out, s.Count)
	case s.To == "pty":
		return sendToPTY(ctx, p, NewSimulatedWire(meter, max(s.Speed, 1)), family.Wire(), s.Count)
	case tcp:
		return simulateTCP(ctx, p, NewSimulatedWire(meter, max(s.Speed, 1)), address, s.Count)
	}
	return fmt.Errorf("--to %s: it is stdout, pty or tcp://HOST:PORT", s.To)
}

// meter returns the meter of the family as it was asked for, with its faults.
func (s *Simulation) meter(family simulate.Family) (telegrams, error) {
	start := time.Now()
	if s.Start != "" {
		var err error
		if start, err = time.Parse(time.RFC3339, s.Start); err != nil {
			return nil, fmt.Errorf("--start %s: write it as 2026-01-31T12:00:00+01:00", s.Start)
		}
	}
	if s.Count < 0 || s.Speed < 0 {
		return nil, errors.New("--count and --speed are not negative")
	}
	var faults []simulate.Fault
	for _, text := range s.Faults {
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
	return simulate.NewFaulty(simulate.NewMeter(family, s.Seed, start), s.Seed, then, faults...), nil
}

// next returns the family that a meter is after the fault profile.
func (s *Simulation) next(family simulate.Family) (simulate.Family, error) {
	switch {
	case s.Then != "":
		return Family(s.Then)
	case family.Name == "p1-se-aidon":
		return Family("aidon-se")
	}
	return Family("p1-se-aidon")
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
