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
		Short: "Records the bytes of a port and their times in a file, to inspect, replay or share",
		Long: "Writes each read of a port as a line of text: its time, and its bytes in hexadecimal. decode and replay read such files.\n" +
			"Without PORT it uses the port of the configuration, or looks for one. Stop it with Ctrl-C: nothing is lost.\n\n" +
			"With --anonymise the serial numbers of meters and texts are masked, and checksums are computed again, so that the file\n" +
			"can be shown to others. Measured values stay. Encrypted telegrams are decrypted with the key, and encrypted again with\n" +
			"a public test key; the file never holds your key. Damaged telegrams, and bytes between telegrams, are left out.",
		Example: "  hanbridge capture --for 60s --out house.txt\n" +
			"  hanbridge capture /dev/ttyUSB0 --serial \"2400 8E1\" --count 10 --out house.txt\n" +
			"  hanbridge capture tcp://192.168.1.20:8088 | hanbridge decode -\n" +
			"  hanbridge capture --anonymise --from a.txt --key-file meter.key --out b.txt",
		Args: takes(0, 1),
	}
	var o recorder.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` of the meter: its port, line setting and keys; PORT and flags take precedence")
	f.StringVar(&o.Serial, "serial", "", "line setting, such as \"2400 8E1\"; auto tries the usual ones (default auto)")
	f.DurationVar(&o.Duration, "for", 0, "how long to record, such as 60s or 5m; without it until stopped")
	f.IntVar(&o.Count, "count", 0, "stop after this many intact telegrams, with --anonymise after this many masked ones; without it until stopped")
	f.StringVar(&o.Out, "out", "-", "`FILE` to write; - is standard output")
	f.BoolVar(&o.Force, "force", false, "overwrite an existing file")
	f.BoolVar(&o.Anonymise, "anonymise", false, "mask the serial numbers of meters, and texts")
	f.StringVar(&o.From, "from", "", "with --anonymise: read an existing capture `FILE`, or one of bytes or hexadecimal text")
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
		Short: "Sends the bytes of a capture again, at their original pace",
		Long: "Sends the bytes of a capture at their original pace: to standard output, to a serial port that exists only in\n" +
			"this machine (pty), or to every program that connects to an address. In the last case it begins when the first program connects.\n" +
			"Bytes or hexadecimal text without times are sent at once.",
		Example: "  hanbridge replay house.txt | hanbridge decode -\n" +
			"  hanbridge replay house.txt --to pty\n" +
			"  hanbridge replay house.txt --to tcp://127.0.0.1:8088 --speed 10",
		Args: takes(1, 1),
	}
	to := c.Flags().String("to", "stdout", "stdout, pty or tcp://HOST:PORT")
	speed := c.Flags().Int("speed", 1, "how many times the original pace; 0 is without waiting")
	c.RunE = func(c *cobra.Command, files []string) error {
		return virtualport.Replay(c.Context(), p, files[0], *to, *speed)
	}
	return c
}
