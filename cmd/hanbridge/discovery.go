package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/hub"
)

func discoveryCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use: "discovery", Short: "What Home Assistant is told", Example: "  hanbridge discovery show", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(discoveryShowCommand(p), discoveryDiffCommand(p), discoveryClearCommand(p))
	return c
}

func discoveryShowCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Prints what is announced on the broker, or what would be for the telegrams in a file",
		Example: "  hanbridge discovery show --config config.yaml\n  hanbridge discovery show telegram.txt\n" +
			"  hanbridge discovery show --family aidon-se",
		Args: takes(0, 1),
	}
	from := hub.AddSeenFlags(c, "what would be announced for a simulated meter")
	prefix := addPrefixFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		w, err := hub.LoadBelow(p, from.Config, *prefix)
		if err != nil {
			return err
		}
		if w.HomeAssistant.Discovery == "off" {
			return errors.New("homeassistant.discovery is off: nothing is announced")
		}
		seen, err := from.Look("discovery show", w, files)
		switch {
		case err != nil:
			return err
		case seen == nil:
			return hub.ShowAnnounced(c.Context(), p, w)
		}
		d := w.MQTTOutput().Discovery()
		return hub.ShowMessages(p, append(d.Bridge(), d.Meter(seen.Meter)...))
	}
	return c
}

// addPrefixFlag is for commands that look at what is announced: below another prefix than the configured one as well.
func addPrefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, as after a change of homeassistant.prefix")
}
