package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

func healthCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Asks the running bridge if a part of it is stuck: for container health",
		Long: "Asks the bridge that runs with the same configuration if a part of it is stuck.\n" +
			"Exits with 0 when none is; with 1 when one is, or when no bridge answers; with 2\n" +
			"when the configuration is wrong. A broker that is away and a silent meter are\n" +
			"told, but no restart of the bridge mends them. To test the broker use check.",
		Example: "  hanbridge health --config /etc/hanbridge/config.yaml",
		Args:    takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	after := c.Flags().Duration("after", 2*time.Minute, "a part is stuck after so long without progress")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *after <= 0 {
			return errors.New("--after: want a time above 0, such as 2m")
		}
		return daemon.Health(c.Context(), p, *file, *after)
	}
	return c
}
