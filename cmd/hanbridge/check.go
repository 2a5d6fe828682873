package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/doctor"
)

func checkCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Checks configuration and broker, without starting: for scripts",
		Long: "Reads the configuration, connects to the broker, and tries whether it may publish there.\n" +
			"Exits with 2 when the configuration is wrong, with 1 when the broker is. Meters are not touched: whether a port is there\n" +
			"and may be read, and whether state_dir can be written, is told without a change of the exit code.",
		Example: "  hanbridge check --config config.yaml", Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return doctor.Check(c.Context(), p, *file) }
	return c
}
