package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
)

func simulateCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Sends the telegrams of a simulated meter",
		Long: "Sends telegrams as a meter of the family would, byte for byte: to standard output, to a serial port that exists\n" +
			"only in this machine (pty), or to every program that connects to an address.\n\n" +
			"A program that sets the pty to another speed than the meter's receives what a serial port would receive at that speed. Parity\n" +
			"and data bits do not matter there: a pty knows none. Until a program sets the speed it is the meter's.\n\n" +
			"Meters that encrypt all use these keys, which are no secret:\n" + virtualport.SimulatedKeyFlags + "\n\n" +
			"Faults, for --fault; the seed decides which telegrams they hit:\n" + virtualport.FaultHelp(),
		Example: "  hanbridge simulate --family aidon-se --count 3 | hanbridge decode -\n" +
			"  hanbridge simulate --family p1-se-kamstrup --to pty\n" +
			"  hanbridge simulate --family aidon-no --to tcp://127.0.0.1:8088\n" +
			"  hanbridge simulate --family p1-nl-5 --fault crc=10,noise | hanbridge decode -",
		Args: takes(0, 0),
	}
	var s virtualport.SimulateOptions
	f := c.Flags()
	f.StringVar(&s.Family, "family", "aidon-se", "the kind of meter, `NAME` as --list names it")
	f.StringVar(&s.To, "to", "stdout", "stdout, pty or tcp://HOST:PORT")
	f.IntVar(&s.Count, "count", 0, "how many telegrams; without it 10 to stdout, elsewhere until stopped")
	f.IntVar(&s.Speed, "speed", 0, "how many times as fast as a real meter; without it as fast as possible to stdout, elsewhere 1")
	f.Uint64Var(&s.Seed, "seed", 1, "the household: another number simulates another one")
	f.StringVar(&s.Start, "start", "", "the household's `TIME` at the first telegram, such as 2026-01-31T12:00:00+01:00; without it now")
	f.StringSliceVar(&s.Faults, "fault", nil, "the faults, each `KIND` or KIND=N, separated by commas")
	f.StringVar(&s.Then, "then", "", "the family that the fault profile changes to, `NAME`; without it p1-se-aidon, or aidon-se if the first is p1-se-aidon")
	f.BoolVar(&s.List, "list", false, "list the families")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.List {
			return virtualport.ListFamilies(p)
		}
		return virtualport.Simulate(c.Context(), p, s)
	}
	return c
}
