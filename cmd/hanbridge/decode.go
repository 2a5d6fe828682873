package main

import (
	"fmt"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
)

func decodeCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use:   "decode [FILE…|-]",
		Short: "Decodes telegrams from files or standard input, and prints their values",
		Long: "Reads telegrams from files. Without a FILE, or with -, decode reads standard input. The input contains bytes, hexadecimal\n" +
			"text, or the lines that capture writes. Exits with 1 if a telegram was damaged or could not be decrypted, or if no telegram\n" +
			"was found, and with 2 if a file could not be read. Intact telegrams are printed in each case.",
		Example: "  hanbridge decode telegram.txt\n" +
			"  stty -F /dev/ttyUSB0 raw 2400 parenb && hanbridge decode < /dev/ttyUSB0\n" +
			"  hanbridge decode --format json --key-file meter.key telegram.bin\n" +
			"  echo 7EA2434108831385… | hanbridge decode -",
	}
	format := c.Flags().String("format", "table", "table, json (one object per telegram, each on a line) or csv")
	var keys config.KeyFlags
	keys.Register(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		decryptionKeys, err := keys.Load()
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		signal.Reset() // from now on a signal ends the program immediately, also while it waits for input
		if c.Context().Err() != nil {
			return cli.ErrStopped // a signal arrived before Reset
		}
		return render.Decode(p, files, *format, decryptionKeys)
	}
	return c
}
