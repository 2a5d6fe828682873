package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/discovery"
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
	from := addSeenFlags(c, "as if the meter were a simulated one")
	c.RunE = func(c *cobra.Command, files []string) error {
		w, err := wired(p, from.config)
		if err != nil {
			return err
		}
		seen, err := from.look("discovery diff", w, files)
		if err != nil {
			return err
		}
		if err := w.NeedBroker(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), readTime)
		defer cancel()
		kept, err := readKept(ctx, w)
		if err != nil && incomplete(err) {
			err = fmt.Errorf("%w: what differs cannot be told", err)
		}
		if err != nil {
			return cli.DataError(err)
		}
		return discoveryDiff(p, w, kept, seen)
	}
	return c
}

// discoveryDiff compares what is held with what would be announced of the meter that was seen, or of all that the broker
// knows where that is nil.
func discoveryDiff(p *cli.Program, w *daemon.Setup, kept kept, seen *seen) error {
	to := w.MQTTOutput()
	meters := known(w, kept)
	if seen != nil {
		meters = []discovery.Meter{seen.meter}
	}
	ids := []string{config.BridgeID}
	for _, m := range meters {
		ids = append(ids, m.ID)
	}
	held := concerning(kept.announced, ids, to.BaseTopic, seen == nil)
	all := discovery.Differences(held, wanted(to.Discovery(), meters))
	for _, d := range all {
		fmt.Fprintln(safetext.Lines{W: p.Out}, d)
	}
	found := len(all)
	for _, m := range meters {
		if len(m.Quantities) == 0 && to.Style != discovery.Off {
			found++
			fmt.Fprintf(p.Out, "%s: the broker holds neither values of it nor an announcement (does the bridge run, and has the meter spoken?)\n", m.ID)
		}
	}
	if found == 0 {
		fmt.Fprintf(p.Out, "no difference: %s holds what this configuration announces\n", to.URL)
		return nil
	}
	fmt.Fprintf(p.Out, "%s between what %s holds and what this configuration announces: hanbridge run sets it right when it starts; what is left then, discovery clear --all takes back\n",
		cli.Count(found, "difference"), to.URL)
	return cli.ErrPrinted
}

// wanted is what would be announced. A meter that has sent nothing is not.
func wanted(c discovery.Config, meters []discovery.Meter) []discovery.Message {
	all := c.Bridge()
	for _, m := range meters {
		if len(m.Quantities) > 0 {
			all = append(all, c.Meter(m)...)
		}
	}
	return all
}
