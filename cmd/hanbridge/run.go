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
		Long: "Reads the meters and publishes until stopped.\n\nWithout --config it uses " + strings.Join(config.DefaultFiles, " or ") +
			" if one exists, otherwise only environment variables.",
		Example: "  hanbridge run --config /etc/hanbridge/config.yaml\n" +
			"  HANBRIDGE_MQTT_URL=mqtt://localhost hanbridge run",
		Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return daemon.Run(c.Context(), p, *file) }
	return c
}

func demoCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Runs the bridge with a simulated household: nothing to install or configure",
		Long: "Runs the real bridge on a simulated household, with a built-in broker on a free port of this machine.\n" +
			"With HANBRIDGE_MQTT_URL set it publishes to that broker instead, so that the household shows in your own hub.",
		Example: "  hanbridge demo\n  HANBRIDGE_MQTT_URL=mqtt://homeassistant.local hanbridge demo",
		Args:    takes(0, 0),
	}
	family := c.Flags().String("family", "aidon-se", "the kind of meter, `NAME` as simulate --list names it")
	seed := c.Flags().Uint64("seed", 1, "the household: another number simulates another one")
	c.RunE = func(c *cobra.Command, _ []string) error { return daemon.Demo(c.Context(), p, *family, *seed) }
	return c
}
