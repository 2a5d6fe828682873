package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

func runCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "The bridge: reads the meters and publishes until it is stopped",
		Long: "Reads the meters and publishes until it is stopped.\n\nWithout --config it uses " + strings.Join(config.Places, " or ") +
			" where there is one, else environment variables alone.",
		Example: "  hanbridge run --config /etc/hanbridge/config.yaml\n" +
			"  HANBRIDGE_MQTT_URL=mqtt://localhost hanbridge run",
		Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return daemon.Run(c.Context(), p, *file) }
	return c
}
