package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/rates"
)

func discoveryCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use: "discovery", Short: "Shows, compares or removes the discovery messages for Home Assistant", Example: "  hanbridge discovery show", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(discoveryShowCommand(p), discoveryDiffCommand(p), discoveryClearCommand(p))
	return c
}

func discoveryShowCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Prints what is announced on the broker, or what would be announced for the telegrams in a file",
		Example: "  hanbridge discovery show --config config.yaml\n  hanbridge discovery show telegram.txt\n" +
			"  hanbridge discovery show --family aidon-se",
		Args: takes(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "what would be announced for a simulated meter")
	prefix := prefixFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		return announcements.Show(c.Context(), p, flags, *prefix, files)
	}
	return c
}

// prefixFlag adds the flag --prefix. With it a command uses another discovery prefix than the configured prefix.
func prefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, for example after a change of homeassistant.prefix")
}

func discoveryDiffCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "diff [FILE]",
		Short: "Compares the announcements on the broker with those of this configuration",
		Long: "Compares the announcements that the broker holds with those that this program and configuration would make: for the\n" +
			"configured meters and the values that the broker holds of them, or for the telegrams in a file or of a simulated meter.\n" +
			"Exits with 0 when nothing differs, with 1 when something does.",
		Example: "  hanbridge discovery diff --config config.yaml\n  hanbridge discovery diff telegram.txt",
		Args:    takes(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "for a simulated meter")
	c.RunE = func(c *cobra.Command, files []string) error { return announcements.Diff(c.Context(), p, flags, files) }
	return c
}

func discoveryClearCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "clear",
		Short: "Takes back announcements, and with --values retained values",
		Long: "Takes back the announcements of the configured meters, of meters that this bridge\nonce published, and of the bridge, in either style. Home Assistant then removes their\n" +
			"entities. A running bridge announces everything again when it or Home\nAssistant starts the next time. To remove the announcements for good, set\n" +
			"homeassistant.discovery to off, and restart the bridge, which takes them back\nitself. It also takes back announcements below an earlier homeassistant.prefix, as long as\n" +
			"it remembers them (state_dir); otherwise give that prefix with --prefix.\n\n" +
			"With --values the retained values, states and descriptions of these\nmeters are removed too, so that no hub shows an old value of a meter that is gone. Stop the\n" +
			"bridge first. Meters that another bridge publishes are left alone.",
		Example: "  hanbridge discovery clear --config config.yaml\n  hanbridge discovery clear --values --meter garage\n  hanbridge discovery clear --all\n" +
			"  hanbridge discovery clear --prefix homeassistant",
		Args: takes(0, 0),
	}
	prefix := prefixFlag(c)
	var options announcements.ClearOptions
	c.Flags().StringVar(&options.Config, "config", "", "configuration `FILE`")
	c.Flags().BoolVar(&options.All, "all", false, "also meters that are not configured, if they publish below mqtt.base_topic")
	c.Flags().BoolVar(&options.Values, "values", false, "take back retained values too")
	c.Flags().StringArrayVar(&options.Meters, "meter", nil, "also the meter with this `ID`, which is not configured any more; may be repeated")
	c.RunE = func(c *cobra.Command, _ []string) error {
		options.Prefix = *prefix
		return announcements.Clear(c.Context(), p, options)
	}
	return c
}

func ratesCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "rates [FILE]",
		Short: "Estimates how many states a day this configuration causes, per quantity and in all",
		Long: "Estimates how many states a day a hub has to store with this configuration, and how many it would be if every telegram were\n" +
			"published. A state is a value that differs from the one before. A simulated household stands in for yours. What the meter sends, and\n" +
			"how often, is taken from a recording, from a simulated meter, or else from the retained messages of the configured meters.",
		Example: "  hanbridge rates --config config.yaml\n  hanbridge rates telegrams.txt\n  HANBRIDGE_PUBLISH=frugal hanbridge rates --family p1-nl-5",
		Args:    takes(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "for a simulated meter")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, files []string) error { return rates.Run(c.Context(), p, flags, files, *asJSON) }
	return c
}

func takeoverCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "takeover METER",
		Short: "Lets this bridge publish a meter that another bridge published before",
		Long: "Removes from the broker which bridge publishes a meter, so that this one publishes the meter's counters. Use it for a\n" +
			"bridge that replaces another for good, with another meter or without the other's state_dir. Stop the other\n" +
			"bridge first. A running bridge publishes the counters as soon as it has received nothing from another for a minute, or for\n" +
			"six of the meter's intervals where that is longer; a stopped one, when it starts.",
		Example: "  hanbridge takeover house --config config.yaml",
		Args:    takes(1, 1),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		setup, err := announcements.Load(p, *file, "")
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return setup.MeterIDs(), cobra.ShellCompDirectiveNoFileComp
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		return announcements.TakeOver(c.Context(), p, *file, args[0])
	}
	return c
}
