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
		Long: "Looks at ports, line settings, protocol, meter and broker, in this order, and stops where something is wrong.\n" +
			"Without PORT it takes that of the configuration, else it tries every port that is free. It needs neither broker nor\n" +
			"configuration, and ends with the configuration to use. Exits with 1 when something is wrong.",
		Example: "  hanbridge doctor\n  hanbridge doctor /dev/ttyUSB0 --key-file meter.key --write\n  hanbridge doctor tcp://192.168.1.20:8088 --json",
		Args:    takes(0, 1),
	}
	var o doctor.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` to look at, and to write")
	f.StringVar(&o.Serial, "serial", "", "line setting to try first, as \"2400 8E1\"")
	f.DurationVar(&o.Dwell, "dwell", probe.Dwell, "how long to listen at each setting: meters speak every 10 s or more often")
	f.BoolVar(&o.Write, "write", false, "write the configuration to use, with the line setting found: to config.yaml, or to the file of --config")
	f.BoolVar(&o.Force, "force", false, "write over a configuration that is there")
	f.BoolVar(&o.JSON, "json", false, "the findings as one JSON object")
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
			"Exits with 2 when the configuration is wrong, with 1 when the broker is. Meters are not touched: whether a port is there\n" +
			"and may be read, and whether state_dir can be written, is told without a change of the exit code.",
		Example: "  hanbridge check --config config.yaml", Args: takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	c.RunE = func(c *cobra.Command, _ []string) error { return doctor.Check(c.Context(), p, *file) }
	return c
}

func healthCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "health",
		Short: "Asks the running bridge if a part of it is stuck: for container health",
		Long: "Asks the bridge that runs with the same configuration if a part of it is stuck.\n" +
			"Exits with 0 when none is; with 1 when one is, or when no bridge answers; with 2\n" +
			"when the configuration is wrong. A broker that is away and a silent meter are\n" +
			"told, but no restart of the bridge mends them. To test the broker use check.",
		Example: "  hanbridge health --config /etc/hanbridge/config.yaml",
		Args:    takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	after := c.Flags().Duration("after", 2*time.Minute, "a part is stuck after so long without progress")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *after <= 0 {
			return errors.New("--after: want a time above 0, such as 2m")
		}
		return daemon.Health(c.Context(), p, *file, *after)
	}
	return c
}
