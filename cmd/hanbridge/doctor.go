package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/doctor"
)

func doctorCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor [PORT]",
		Short: "Looks at port, line, meter and broker, and says what is wrong and whose turn it is",
		Long: "Looks at ports, line settings, protocol, meter and broker, in this order, and stops where something is wrong.\n" +
			"Without PORT it takes that of the configuration, else it tries every port that is free. It needs neither broker nor\n" +
			"configuration, and ends with the configuration to use. Exits with 1 when something is wrong.",
		Example: "  hanbridge doctor\n  hanbridge doctor /dev/ttyUSB0 --key-file meter.key --write\n  hanbridge doctor tcp://192.168.1.20:8088 --json",
		Args:    takes(0, 1),
	}
	var o doctor.Order
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` to look at, and to write")
	f.StringVar(&o.Serial, "serial", "", "line setting to try first, as \"2400 8E1\"")
	f.DurationVar(&o.Dwell, "dwell", probe.Dwell, "how long to listen at each setting: meters speak every 10 s or more often")
	f.BoolVar(&o.Write, "write", false, "write the configuration to use, with the line setting found: to config.yaml, or to the file of --config")
	f.BoolVar(&o.Force, "force", false, "write over a configuration that is there")
	f.BoolVar(&o.JSON, "json", false, "the findings as one JSON object")
	o.Keys.Add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Port = args[0]
		}
		return doctor.Examine(c.Context(), p, o)
	}
	return c
}
