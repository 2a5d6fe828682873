package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/doctor"
)

func doctorCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor [PORT]",
		Short: "Checks port, line setting, meter and broker, and says what is wrong and who must act",
		Long: "Checks ports, line settings, protocol, meter and broker, in this order, and stops at the first fault. Without PORT,\n" +
			"doctor reads the port of the configuration, or tries every free port. doctor also works without a broker and without\n" +
			"a configuration. At the end doctor prints the configuration to use. Exits with 1 if something is wrong.",
		Example: "  hanbridge doctor\n  hanbridge doctor /dev/ttyUSB0 --key-file meter.key --write\n  hanbridge doctor tcp://192.168.1.20:8088 --json",
		Args:    argCount(0, 1),
	}
	var o doctor.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` to read, and to write")
	f.StringVar(&o.Serial, "serial", "", "line setting to try first, such as \"2400 8E1\"")
	f.DurationVar(&o.Dwell, "dwell", probe.Dwell, "time to read with each line setting; most meters send a telegram every 10 s or more often")
	f.BoolVar(&o.Write, "write", false, "write the configuration to use to config.yaml, or to the file of --config")
	f.BoolVar(&o.Force, "force", false, "overwrite an existing configuration")
	f.BoolVar(&o.JSON, "json", false, "print the findings as one JSON object")
	o.Keys.Register(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Port = args[0]
		}
		return doctor.Examine(c.Context(), p, o)
	}
	return c
}

func checkCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Checks configuration and broker, without starting the bridge",
		Long: "Reads the configuration, connects to the broker, and tests whether this user can publish there. Exits with 2 if the\n" +
			"configuration is wrong. Exits with 1 if the broker cannot be used, or if the counters of a meter are withheld\n" +
			"because of another bridge. check reads no telegrams. It prints a warning if a port is missing or not readable,\n" +
			"or if state_dir is not writable. A warning does not change the exit code.",
		Example: "  hanbridge check --config config.yaml", Args: argCount(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return doctor.Check(c.Context(), p, *file) }
	return c
}

func healthCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Asks the running bridge whether a part of the bridge is stuck; for health checks of containers",
		Long: "Asks the bridge that runs with the same configuration whether a part of the bridge is\n" +
			"stuck. Exits with 0 if no part is stuck, with 1 if a part is stuck or no bridge\n" +
			"answers, and with 2 if the configuration is wrong. An unreachable broker and a silent\n" +
			"meter are printed, but do not change the exit code, because a restart of the bridge\n" +
			"does not help. To test the broker, use check.",
		Example: "  hanbridge health --config /etc/hanbridge/config.yaml",
		Args:    argCount(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	after := c.Flags().Duration("after", 2*time.Minute, "time without progress after which a part is stuck")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *after <= 0 {
			return errors.New("--after: want a time above 0, such as 2m")
		}
		return daemon.Health(c.Context(), p, *file, *after)
	}
	return c
}
