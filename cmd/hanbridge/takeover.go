package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
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
	c.RunE = func(c *cobra.Command, args []string) error {
		w, err := wired(p, *file)
		if err != nil {
			return err
		}
		if err := w.NeedBroker(); err != nil {
			return err
		}
		if !slices.Contains(w.MeterIDs(), args[0]) {
			return fmt.Errorf("no meter of the configuration has the id %q%s", args[0], cli.DidYouMean(args[0], w.MeterIDs()))
		}
		ctx, cancel := context.WithTimeout(c.Context(), checkTime)
		defer cancel()
		return runTakeOver(ctx, p, w.MQTTOutput(), args[0])
	}
	return c
}

func runTakeOver(ctx context.Context, p *cli.Program, to mqtt.Config, meter string) error {
	if err := mqtt.TakeBack(ctx, to, []string{to.InfoTopic(meter)}); err != nil {
		return cli.DataError(err)
	}
	all, err := mqtt.Retained(ctx, to, meter)
	if err != nil {
		return cli.DataError(err)
	}
	if all[meter]["info"] != "" { // a broker acknowledges what its rules forbid
		return cli.DataError(fmt.Errorf("%s is there again: most likely the other bridge still runs. Stop it, and type this once more. If none runs, the broker's access "+
			"rules do not let this user publish that topic", to.InfoTopic(meter)))
	}
	fmt.Fprintf(p.Out, "the description of %s is removed from the broker: the next bridge that reads a telegram of it publishes it\n", meter)
	return nil
}
