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
		Short: "Runs the bridge: reads the meters and publishes until stopped",
		Long: "Reads the meters and publishes until stopped.\n\nWithout --config the configuration is " + strings.Join(config.DefaultFiles, " or ") +
			". If neither file exists, the configuration consists of environment variables.",
		Example: "  hanbridge run --config /etc/hanbridge/config.yaml\n" +
			"  HANBRIDGE_MQTT_URL=mqtt://localhost hanbridge run",
		Args: argCount(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return daemon.Run(c.Context(), p, *file) }
	return c
}

func demoCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Runs the bridge with a simulated household: nothing to install or configure",
		Long: "Runs the bridge with a simulated household, and with an embedded broker on a free port of this machine.\n" +
			"If HANBRIDGE_MQTT_URL is set, demo publishes to that broker instead, so that your hub shows the household.",
		Example: "  hanbridge demo\n  HANBRIDGE_MQTT_URL=mqtt://homeassistant.local hanbridge demo",
		Args:    argCount(0, 0),
	}
	family := c.Flags().String("family", "aidon-se", "family of the meter, a `NAME` that simulate --list prints")
	seed := c.Flags().Uint64("seed", 1, "number of the simulated household")
	c.RunE = func(c *cobra.Command, _ []string) error { return daemon.Demo(c.Context(), p, *family, *seed) }
	return c
}
