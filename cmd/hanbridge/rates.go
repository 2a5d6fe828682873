package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/hub"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/rates"
)

func ratesCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "rates [FILE]",
		Short: "How many states a day this configuration causes, per quantity and in all",
		Long: "Estimates how many states a day a hub has to store with this configuration, and how many it were if every telegram were\n" +
			"published: values that differ from the one before. A simulated household stands in for yours. What the meter sends, and\n" +
			"how often, is taken from a recording, from a simulated meter, or else from what the broker holds of the configured meters.",
		Example: "  hanbridge rates --config config.yaml\n  hanbridge rates telegrams.txt\n  HANBRIDGE_PUBLISH=frugal hanbridge rates --family p1-nl-5",
		Args:    takes(0, 1),
	}
	from := hub.AddSeenFlags(c, "for a simulated meter")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, files []string) error { return rates.Run(c.Context(), p, from, files, *asJSON) }
	return c
}
