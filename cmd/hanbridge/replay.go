package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
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
	c.RunE = func(c *cobra.Command, files []string) error {
		return virtualport.Replay(c.Context(), p, files[0], *to, *speed)
	}
	return c
}
