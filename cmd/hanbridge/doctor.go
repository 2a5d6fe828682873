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
		Short: "Checks port, line setting, meter and broker, and says what is wrong and who can mend it",
		Long: "Checks ports, line settings, protocol, meter and broker, in this order, and stops where something is wrong.\n" +
			"Without PORT it uses the port of the configuration, or tries every free port. It needs neither broker nor\n" +
			"configuration, and ends with the configuration to use. Exits with 1 when something is wrong.",
		Example: "  hanbridge doctor\n  hanbridge doctor /dev/ttyUSB0 --key-file meter.key --write\n  hanbridge doctor tcp://192.168.1.20:8088 --json",
		Args:    takes(0, 1),
	}
	var o doctor.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` to read, and to write")
	f.StringVar(&o.Serial, "serial", "", "line setting to try first, such as \"2400 8E1\"")
	f.DurationVar(&o.Dwell, "dwell", probe.Dwell, "how long to listen at each setting: meters send every 10 s or more often")
	f.BoolVar(&o.Write, "write", false, "write the configuration to use, with the line setting found: to config.yaml, or to the file of --config")
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
		Short: "Checks configuration and broker, without starting: for scripts",
		Long: "Reads the configuration, connects to the broker, and tries whether it may publish there.\n" +
			"Exits with 2 when the configuration is wrong, with 1 when the broker cannot be used. Meters are not touched: whether a port exists\n" +
			"and may be read, and whether state_dir can be written, is printed but does not change the exit code.",
		Example: "  hanbridge check --config config.yaml", Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return doctor.Check(c.Context(), p, *file) }
	return c
}

func healthCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Asks the running bridge whether a part of it is stuck: for container health checks",
		Long: "Asks the bridge that runs with the same configuration whether a part of it is stuck.\n" +
			"Exits with 0 when none is; with 1 when one is, or when no bridge answers; with 2\n" +
			"when the configuration is wrong. An unreachable broker and a silent meter are\n" +
			"reported but do not count, because no restart of the bridge mends them. To test the broker, use check.",
		Example: "  hanbridge health --config /etc/hanbridge/config.yaml",
		Args:    takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	after := c.Flags().Duration("after", 2*time.Minute, "a part counts as stuck after this time without progress")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *after <= 0 {
			return errors.New("--after: want a time above 0, such as 2m")
		}
		return daemon.Health(c.Context(), p, *file, *after)
	}
	return c
}
