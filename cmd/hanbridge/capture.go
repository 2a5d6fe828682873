package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/recorder"
)

func captureCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "capture [PORT]",
		Short: "Keeps the bytes of a port with their times in a file, to look at, to replay, to show to others",
		Long: "Writes each read of a port as a line of text: its time, and its bytes in hexadecimal. decode and replay read such files.\n" +
			"Without PORT it takes that of the configuration, else it looks for one. It ends with Ctrl-C, and loses nothing then.\n\n" +
			"With --anonymise the numbers of meters and texts are masked, and checksums mended, so that the file can be shown to\n" +
			"others; what was measured stays. Ciphered telegrams are opened with the key and ciphered with a public test key; the\n" +
			"file never holds yours. Damaged telegrams, and what stands between telegrams, are left out.",
		Example: "  hanbridge capture --for 60s --out house.txt\n" +
			"  hanbridge capture /dev/ttyUSB0 --serial \"2400 8E1\" --count 10 --out house.txt\n" +
			"  hanbridge capture tcp://192.168.1.20:8088 | hanbridge decode -\n" +
			"  hanbridge capture --anonymise --from a.txt --key-file meter.key --out b.txt",
		Args: takes(0, 1),
	}
	var o recorder.Order
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` of the meter: its port, line setting and keys; PORT and flags win")
	f.StringVar(&o.Serial, "serial", "", "line setting, as \"2400 8E1\"; auto tries the usual ones (default auto)")
	f.DurationVar(&o.Duration, "for", 0, "how long, as 60s or 5m; without it until it is stopped")
	f.IntVar(&o.Count, "count", 0, "how many telegrams that came sound, with --anonymise that were masked; without it until it is stopped")
	f.StringVar(&o.Out, "out", "-", "`FILE` to write; - is standard output")
	f.BoolVar(&o.Force, "force", false, "write over a file that is there")
	f.BoolVar(&o.Anonymise, "anonymise", false, "mask the numbers of meters, and texts")
	f.StringVar(&o.From, "from", "", "with --anonymise: read a `FILE` that was captured before, or bytes in any other form")
	o.Keys.Add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Port = args[0]
		}
		return recorder.Run(c.Context(), p, o)
	}
	return c
}
