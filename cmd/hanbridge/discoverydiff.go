package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/hub"
)

func discoveryDiffCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "diff [FILE]",
		Short: "Compares what the broker holds with what would be announced",
		Long: "Compares the announcements that the broker holds with those that this program and configuration would make: for the\n" +
			"configured meters and the values that the broker holds of them, or for the telegrams in a file or of a simulated meter.\n" +
			"Exits with 0 when nothing differs, with 1 when something does.",
		Example: "  hanbridge discovery diff --config config.yaml\n  hanbridge discovery diff telegram.txt",
		Args:    takes(0, 1),
	}
	from := hub.AddSeenFlags(c, "as if the meter were a simulated one")
	c.RunE = func(c *cobra.Command, files []string) error {
		w, err := hub.Load(p, from.Config)
		if err != nil {
			return err
		}
		seen, err := from.Look("discovery diff", w, files)
		if err != nil {
			return err
		}
		if err := w.NeedBroker(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), hub.ReadTime)
		defer cancel()
		kept, err := hub.ReadKept(ctx, w)
		if err != nil && hub.Incomplete(err) {
			err = fmt.Errorf("%w: what differs cannot be told", err)
		}
		if err != nil {
			return cli.DataError(err)
		}
		return hub.Diff(p, w, kept, seen)
	}
	return c
}
