package main

import (
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
	prefix := prefixFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error { return hub.Show(c.Context(), p, from, *prefix, files) }
	return c
}

// prefixFlag is for commands that look at what is announced: below another prefix than the configured one as well.
func prefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, as after a change of homeassistant.prefix")
}

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
	c.RunE = func(c *cobra.Command, files []string) error { return hub.Diff(c.Context(), p, from, files) }
	return c
}

func discoveryClearCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "clear",
		Short: "Takes back what is announced, and with --values what is published",
		Long: "Takes back what is announced of the configured meters, of those that this bridge\nonce published, and of the bridge, in either style: Home Assistant removes their\n" +
			"entities. A bridge that runs announces everything again when it or Home\nAssistant starts the next time: to be rid of the announcements set\n" +
			"homeassistant.discovery to off, and restart the bridge, which takes them back by\nitself. It takes back those below another homeassistant.prefix too, as long as\n" +
			"it remembers them (state_dir); else name that prefix here.\n\n" +
			"With --values the broker forgets the values, states and descriptions of these\nmeters too, so that no hub shows an old value of a meter that is gone. Stop the\n" +
			"bridge first. Meters that another bridge publishes are left alone.",
		Example: "  hanbridge discovery clear --config config.yaml\n  hanbridge discovery clear --values --meter garage\n  hanbridge discovery clear --all\n" +
			"  hanbridge discovery clear --prefix homeassistant",
		Args: takes(0, 0),
	}
	prefix := prefixFlag(c)
	var what hub.Clearing
	c.Flags().StringVar(&what.Config, "config", "", "configuration `FILE`")
	c.Flags().BoolVar(&what.All, "all", false, "also meters that are not configured, if they publish below mqtt.base_topic")
	c.Flags().BoolVar(&what.Values, "values", false, "take back values too")
	c.Flags().StringArrayVar(&what.Meters, "meter", nil, "also the meter with this `ID`, which is not configured any more; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		what.Prefix = *prefix
		return hub.Clear(c.Context(), p, what)
	}
	return c
}
