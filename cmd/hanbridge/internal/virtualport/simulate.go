// Package virtualport simulates the port of a meter. It sends simulated or recorded telegrams to a pseudo-terminal, a TCP port or standard
// output, at the times at which a real meter sends them.
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

// SimulateOptions are the flags of the command simulate.
type SimulateOptions struct {
	Family string
	To     string // stdout, pty or tcp://HOST:PORT
	Start  string // time of the first telegram as in RFC 3339; "" for the present time
	Then   string // the family to which the fault "profile" changes; "" for the default
	Faults []string
	Count  int // number of telegrams; 0 means 10 for stdout, and no limit for other destinations
	Speed  int // times as fast as a real meter; 0 means without waiting for stdout, and 1 for other destinations
	Seed   uint64
	List   bool // list the families; Simulate does not use List
}

// Simulate sends the telegrams of a simulated meter with the options s. It returns when all telegrams are sent, or when ctx ends.
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
	out := sender{Program: p, wire: NewSimulatedWire(meter, s.Speed), count: s.Count, line: family.LineSetting()}
	return out.send(ctx, s.To)
}

// meter returns a simulated meter of the family, with the start time and the faults of s.
func (s *SimulateOptions) meter(family simulate.Family) (simulatedMeter, error) {
	start := time.Now()
	if s.Start != "" {
		var err error
		if start, err = time.Parse(time.RFC3339, s.Start); err != nil {
			return nil, fmt.Errorf("--start %s: want a time such as 2026-01-31T12:00:00+01:00", s.Start)
		}
	}
	if s.Count < 0 || s.Speed < 0 {
		return nil, errors.New("--count and --speed: want 0 or more")
	}
	var faults []simulate.Fault
	for _, text := range s.Faults {
		f, err := simulate.ParseFault(text)
		if err != nil {
			return nil, fmt.Errorf("--fault: %w", err)
		}
		faults = append(faults, f)
	}
	if s.Then == "" { // the default is a family that differs from the first family
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

// Replay sends the recording in the named file ("-" for standard input) to a destination: stdout, pty or tcp://HOST:PORT. It sends
// the bytes speed times as fast as they arrived. If speed is 0, it does not wait.
func Replay(ctx context.Context, p *cli.Program, name, destination string, speed int) error {
	if speed < 0 {
		return errors.New("--speed: want 0 or more")
	}
	if name == "-" {
		signal.Reset() // from now on, a signal ends the program, even while the program waits for input
	}
	in, done, err := p.Open("replay", name)
	if err != nil {
		return err
	}
	defer done()
	wire := NewRecordedWire(in, speed)
	s := sender{Program: p, wire: wire, awaitClient: true}
	// wire.unread is nil if the recording has no bytes. If all bytes were read, it is an empty slice.
	if err := s.send(ctx, destination); err != nil || wire.unread != nil || ctx.Err() != nil {
		return err
	}
	return cli.DataError(fmt.Errorf("%s: contains no bytes to send", name))
}

// NewRecordedWire returns a wire that delivers the bytes of the recording in r, speed times as fast as they arrived. If speed is 0, the wire
// does not wait. The wire does not close r.
func NewRecordedWire(r io.Reader, speed int) *Wire {
	reader := capture.NewReader(r)
	return NewWire(speed, func() (time.Time, []byte, error) {
		chunk, err := reader.Next()
		return chunk.At, chunk.Bytes, err
	})
}
