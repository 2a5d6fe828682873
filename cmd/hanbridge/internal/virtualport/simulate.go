// Package virtualport plays a meter: it sends simulated or recorded telegrams to a pseudo-terminal, a TCP port or
// standard output, at the pace of a real wire.
package virtualport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// SimulateOptions is what `simulate` is asked for.
type SimulateOptions struct {
	Family, Then, To, Start string
	Faults                  []string
	Count, Speed            int
	Seed                    uint64
	List                    bool
}

// Simulate sends the telegrams that s asks for until ctx ends.
func Simulate(ctx context.Context, p *cli.Program, s SimulateOptions) error {
	family, err := Family(s.Family)
	if err != nil {
		return err
	}
	meter, err := s.meter(family)
	if err != nil {
		return err
	}
	if s.To != "stdout" {
		s.Speed = max(s.Speed, 1)
	} else if s.Count == 0 {
		s.Count = 10
	}
	to := sender{Program: p, wire: NewSimulatedWire(meter, s.Speed), count: s.Count, line: family.LineSetting()}
	return to.to(ctx, s.To)
}

// meter returns the meter of the family as it was asked for, with its faults.
func (s *SimulateOptions) meter(family simulate.Family) (telegrams, error) {
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
	if s.Then == "" {
		s.Then = "p1-se-aidon"
		if family.Name == s.Then {
			s.Then = "aidon-se"
		}
	}
	then, err := Family(s.Then)
	if err != nil {
		return nil, err
	}
	return simulate.NewFaultyMeter(simulate.NewMeter(family, s.Seed, start), s.Seed, then, faults...), nil
}

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
	wire := NewRecordedWire(in, speed)
	s := sender{Program: p, wire: wire, patient: true}
	if err := s.to(ctx, to); err != nil || wire.rest != nil || ctx.Err() != nil {
		return err
	}
	return cli.DataError(fmt.Errorf("%s: nothing in it to send", name))
}

// NewRecordedWire returns a wire on which the recording in r is sent again, speed times as fast as it came; 0 is without waiting.
func NewRecordedWire(r io.Reader, speed int) *Wire {
	recorded := capture.NewReader(r)
	return NewWire(speed, func() (time.Time, []byte, error) {
		record, err := recorded.Next()
		return record.At, record.Bytes, err
	})
}
