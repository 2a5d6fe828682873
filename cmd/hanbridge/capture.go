package main

import (
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/recorder"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/virtualport"
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
	var o recorder.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` of the meter: its port, line setting and keys; PORT and flags win")
	f.StringVar(&o.Serial, "serial", "", "line setting, as \"2400 8E1\"; auto tries the usual ones (default auto)")
	f.DurationVar(&o.Duration, "for", 0, "how long, as 60s or 5m; without it until it is stopped")
	f.IntVar(&o.Count, "count", 0, "how many telegrams that came sound, with --anonymise that were masked; without it until it is stopped")
	f.StringVar(&o.Out, "out", "-", "`FILE` to write; - is standard output")
	f.BoolVar(&o.Force, "force", false, "write over a file that is there")
	f.BoolVar(&o.Anonymise, "anonymise", false, "mask the numbers of meters, and texts")
	f.StringVar(&o.From, "from", "", "with --anonymise: read a `FILE` that was captured before, or bytes in any other form")
	o.Keys.Register(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Port = args[0]
		}
		return recorder.Run(c.Context(), p, o)
	}
	return c
}

func replayCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "replay FILE|-",
		Short: "Sends what capture has kept, at the pace at which it came",
		Long: "Sends the bytes of a capture at the times at which they came: to standard output, to a serial port that exists only in\n" +
			"this machine (pty), or to every program that connects to an address. There it begins when the first one does.\n" +
			"Bytes or hexadecimal text without times are sent at once.",
		Example: "  hanbridge replay house.txt | hanbridge decode -\n" +
			"  hanbridge replay house.txt --to pty\n" +
			"  hanbridge replay house.txt --to tcp://127.0.0.1:8088 --speed 10",
		Args: takes(1, 1),
	}
	to := c.Flags().String("to", "stdout", "stdout, pty or tcp://HOST:PORT")
	speed := c.Flags().Int("speed", 1, "how many times as fast as it came; 0 is without waiting")
	c.RunE = func(c *cobra.Command, files []string) error {
		return virtualport.Replay(c.Context(), p, files[0], *to, *speed)
	}
	return c
}
