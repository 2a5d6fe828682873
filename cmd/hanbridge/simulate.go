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
		Long: "Sends the telegrams of a simulated meter: to standard output, to a pseudo-terminal (pty), or to every program that connects\n" +
			"to an address.\n\n" +
			"A program that sets the pty to a wrong speed receives wrong bytes, as from a serial port. Before a program sets a speed, the pty\n" +
			"has the speed of the meter. Parity and data bits have no effect on a pty.\n\n" +
			"All simulated meters that encrypt use these keys, which are not secret:\n" + virtualport.SimulatedKeyFlags + "\n\n" +
			"Faults for --fault. The seed selects the telegrams that have a fault:\n" + virtualport.FaultHelp(),
		Example: "  hanbridge simulate --family aidon-se --count 3 | hanbridge decode -\n" +
			"  hanbridge simulate --family p1-se-kamstrup --to pty\n" +
			"  hanbridge simulate --family aidon-no --to tcp://127.0.0.1:8088\n" +
			"  hanbridge simulate --family p1-nl-5 --fault crc=10,noise | hanbridge decode -",
		Args: argCount(0, 0),
	}
	var s virtualport.SimulateOptions
	f := c.Flags()
	f.StringVar(&s.Family, "family", "aidon-se", "family of the meter, a `NAME` that --list prints")
	f.StringVar(&s.To, "to", "stdout", "stdout, pty or tcp://HOST:PORT")
	f.IntVar(&s.Count, "count", 0, "number of telegrams; the default is 10 for stdout, and no limit for pty and tcp")
	f.IntVar(&s.Speed, "speed", 0, "factor of the speed of a real meter; the default is without waiting for stdout, and 1 for pty and tcp")
	f.Uint64Var(&s.Seed, "seed", 1, "number of the simulated household")
	f.StringVar(&s.Start, "start", "", "`TIME` in the first telegram, such as 2026-01-31T12:00:00+01:00; the default is now")
	f.StringSliceVar(&s.Faults, "fault", nil, "faults, each `KIND` or KIND=N, separated by commas")
	f.StringVar(&s.Then, "then", "", "family after the fault \"profile\", a `NAME`; the default is p1-se-aidon, or aidon-se if --family is p1-se-aidon")
	f.BoolVar(&s.List, "list", false, "list the families")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if s.List {
			return virtualport.ListFamilies(p)
		}
		return virtualport.Simulate(c.Context(), p, s)
	}
	return c
}
