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
		Short: "Records the bytes of a port and their times in a file",
		Long: "Reads a port, and writes a line for each read: the time, and the bytes in hexadecimal. decode and replay read such files.\n" +
			"Without PORT, capture reads the port of the configuration, or looks for a port with a meter. Ctrl-C ends the recording.\n" +
			"All bytes that were read until then are in the file.\n\n" +
			"With --anonymise, capture masks texts and the serial numbers of meters, and computes checksums again, so that you can\n" +
			"show the file to others. Measured values are not changed. Encrypted telegrams are decrypted with the key, and encrypted\n" +
			"again with a public test key, so that the file does not contain your key. Damaged telegrams and bytes between telegrams\n" +
			"are not written.",
		Example: "  hanbridge capture --for 60s --out house.txt\n" +
			"  hanbridge capture /dev/ttyUSB0 --serial \"2400 8E1\" --count 10 --out house.txt\n" +
			"  hanbridge capture tcp://192.168.1.20:8088 | hanbridge decode -\n" +
			"  hanbridge capture --anonymise --from a.txt --key-file meter.key --out b.txt",
		Args: argCount(0, 1),
	}
	var o recorder.Options
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `FILE` with the port, the line setting and the keys of the meter; PORT and flags take precedence")
	f.StringVar(&o.Serial, "serial", "", "line setting, such as \"2400 8E1\"; auto tries the usual line settings (default auto)")
	f.DurationVar(&o.Duration, "for", 0, "time to record, such as 60s or 5m; the default is until Ctrl-C")
	f.IntVar(&o.Count, "count", 0, "number of intact telegrams to record, or of masked telegrams with --anonymise; the default is until Ctrl-C")
	f.StringVar(&o.Out, "out", "-", "`FILE` to write; - is standard output")
	f.BoolVar(&o.Force, "force", false, "overwrite an existing file")
	f.BoolVar(&o.Anonymise, "anonymise", false, "mask the serial numbers of meters, and all texts")
	f.StringVar(&o.From, "from", "", "with --anonymise: read a `FILE` instead of a port; the file is a capture, or contains bytes or hexadecimal text")
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
		Long: "Sends the bytes of a capture at their original pace: to standard output, to a pseudo-terminal (pty), or to every program\n" +
			"that connects to an address. With an address, replay begins when the first program connects. If the file contains bytes or\n" +
			"hexadecimal text without times, replay sends the bytes without waiting.",
		Example: "  hanbridge replay house.txt | hanbridge decode -\n" +
			"  hanbridge replay house.txt --to pty\n" +
			"  hanbridge replay house.txt --to tcp://127.0.0.1:8088 --speed 10",
		Args: argCount(1, 1),
	}
	to := c.Flags().String("to", "stdout", "stdout, pty or tcp://HOST:PORT")
	speed := c.Flags().Int("speed", 1, "factor of the original pace; 0 means without waiting")
	c.RunE = func(c *cobra.Command, files []string) error {
		return virtualport.Replay(c.Context(), p, files[0], *to, *speed)
	}
	return c
}
