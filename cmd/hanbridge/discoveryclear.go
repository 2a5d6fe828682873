package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/hub"
)

func discoveryClearCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "clear",
		Short: "Takes back what is announced of the configured meters and of the bridge",
		Long: "Takes back what is announced of the configured meters and of the bridge, in either style: Home Assistant removes their\n" +
			"entities. Values stay. A bridge that runs announces everything again when it or Home Assistant starts the next time:\n" +
			"to be rid of the announcements set homeassistant.discovery to off, and restart the bridge, which takes them back by itself.\n" +
			"It takes back those below another homeassistant.prefix too, as long as it remembers them (state_dir); else name that prefix here.",
		Example: "  hanbridge discovery clear --config config.yaml\n  hanbridge discovery clear --all\n  hanbridge discovery clear --prefix homeassistant",
		Args:    takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	prefix := addPrefixFlag(c)
	all := c.Flags().Bool("all", false, "also meters that are not configured, if they publish below mqtt.base_topic")
	c.RunE = func(c *cobra.Command, _ []string) error {
		w, err := hub.LoadBelow(p, *file, *prefix)
		if err != nil {
			return err
		}
		if err := w.NeedBroker(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), hub.ReadTime)
		defer cancel()
		return hub.Clear(ctx, p, w, *all, *prefix == "")
	}
	return c
}
