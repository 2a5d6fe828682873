package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/hub"
)

func takeoverCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "takeover METER",
		Short: "Lets this bridge publish a meter that another bridge published before",
		Long: "Has the broker forget which bridge publishes a meter, so that this one publishes the meter's counters: for a bridge that\n" +
			"replaces one that is gone for good, with another meter or without what that one kept in state_dir. Stop the other\n" +
			"bridge first. A bridge that runs publishes the counters as soon as it has heard nothing of another for a minute, or for\n" +
			"six of the meter's intervals where that is longer; one that does not run, when it starts.",
		Example: "  hanbridge takeover house --config config.yaml",
		Args:    takes(1, 1),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		w, err := hub.Load(p, *file, "")
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return w.MeterIDs(), cobra.ShellCompDirectiveNoFileComp
	}
	c.RunE = func(c *cobra.Command, args []string) error { return hub.TakeOver(c.Context(), p, *file, args[0]) }
	return c
}
