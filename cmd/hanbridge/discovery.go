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
		Args: argCount(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "print the announcements of a simulated meter")
	prefix := prefixFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		return announcements.Show(c.Context(), p, flags, *prefix, files)
	}
	return c
}

// prefixFlag adds the flag --prefix, which replaces the configured discovery prefix.
func prefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, for example after a change of homeassistant.prefix")
}

func discoveryDiffCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "diff [FILE]",
		Short: "Compares the announcements on the broker with the announcements of this configuration",
		Long: "Compares the announcements on the broker with the announcements that hanbridge run would publish with this configuration.\n" +
			"Which values a meter sends is read from a file, from a simulated meter (--family), or else from the retained values of the\n" +
			"configured meters on the broker. Exits with 0 if there is no difference, and with 1 if there is a difference.",
		Example: "  hanbridge discovery diff --config config.yaml\n  hanbridge discovery diff telegram.txt",
		Args:    argCount(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "compare with the announcements of a simulated meter")
	c.RunE = func(c *cobra.Command, files []string) error { return announcements.Diff(c.Context(), p, flags, files) }
	return c
}

func discoveryClearCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "clear",
		Short: "Removes announcements, and with --values retained values",
		Long: "Removes the announcements of the configured meters, of the meters that this bridge published\nearlier, and of the bridge. Home Assistant then removes the entities.\n" +
			"When the bridge or Home Assistant starts the next time, the bridge announces the configured\nmeters again. To remove the announcements for good, set homeassistant.discovery to off, and\n" +
			"restart the bridge. The bridge then removes the announcements itself.\n\n" +
			"After a change of homeassistant.prefix, the bridge removes the announcements below the earlier\nprefix if they are in state_dir. To remove other announcements, type the prefix with --prefix.\n\n" +
			"With --values the retained values, the status and the info of these meters are removed too. Stop\nthe bridge first. Nothing is removed of a meter that another bridge publishes.",
		Example: "  hanbridge discovery clear --config config.yaml\n  hanbridge discovery clear --values --meter garage\n  hanbridge discovery clear --all\n" +
			"  hanbridge discovery clear --prefix homeassistant",
		Args: argCount(0, 0),
	}
	prefix := prefixFlag(c)
	var options announcements.ClearOptions
	c.Flags().StringVar(&options.Config, "config", "", "configuration `FILE`")
	c.Flags().BoolVar(&options.All, "all", false, "also remove announcements of meters that are not configured, if their topics are below mqtt.base_topic")
	c.Flags().BoolVar(&options.Values, "values", false, "remove retained values too")
	c.Flags().StringArrayVar(&options.Meters, "meter", nil, "also remove the meter with this `ID`, which is not configured any more; can be repeated")
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
		Long: "Estimates how many states a day a hub stores with this configuration, and how many states it would store if every telegram\n" +
			"were published. A hub stores a state when a value changes. The values are those of a simulated household. Which quantities the meter\n" +
			"sends, and how often, is read from a file, from a simulated meter (--family), or else from the retained messages of the configured meters.",
		Example: "  hanbridge rates --config config.yaml\n  hanbridge rates telegrams.txt\n  HANBRIDGE_PUBLISH=frugal hanbridge rates --family p1-nl-5",
		Args:    argCount(0, 1),
	}
	flags := announcements.AddMeterFlags(c, "use the telegrams of a simulated meter")
	asJSON := c.Flags().Bool("json", false, "print JSON")
	c.RunE = func(c *cobra.Command, files []string) error { return rates.Run(c.Context(), p, flags, files, *asJSON) }
	return c
}

func takeoverCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "takeover METER",
		Short: "Lets this bridge publish a meter that another bridge published before",
		Long: "The broker retains which bridge publishes a meter. This command removes that message, so that this bridge publishes the\n" +
			"meter's counters. Type the command if this bridge replaces another bridge for good, and has another meter or lacks the\n" +
			"other bridge's state_dir. Stop the other bridge first. If this bridge is running, it publishes the counters after it has\n" +
			"received nothing from another bridge for a minute, or for six intervals of the meter if that is longer. If this bridge is\n" +
			"stopped, it publishes the counters when it starts.",
		Example: "  hanbridge takeover house --config config.yaml",
		Args:    argCount(1, 1),
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
