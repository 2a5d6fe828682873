package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

func (p *program) decodeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "decode [FILE…|-]",
		Short: "Bytes in, values out",
		Long: "Reads telegrams from files, or from standard input with - or nothing, as bytes or as hexadecimal text.\n" +
			"Exits with 1 when a telegram was damaged, or none was there; the good ones are printed all the same.",
		Example: "  hanbridge decode telegram.txt\n" +
			"  stty -F /dev/ttyUSB0 raw 2400 parenb && hanbridge decode --format json < /dev/ttyUSB0\n" +
			"  echo 7EA2434108831385… | hanbridge decode -",
	}
	format := c.Flags().String("format", "table", "table, json (an object a line and telegram) or csv")
	c.RunE = func(_ *cobra.Command, files []string) error {
		print, ok := printers[*format]
		if !ok {
			return fmt.Errorf("decode: --format %s: it is table, json or csv", *format)
		}
		signal.Reset() // a signal ends it at once, also while it waits for input
		return p.decode(files, print(p))
	}
	return c
}

// A printer writes what was decoded.
type printer struct {
	reading func(r *meter.Reading) error
	damaged func(e *meter.TelegramError) error
}

var printers = map[string]func(*program) printer{"table": newTable, "json": newJSON, "csv": newCSV}

// decode prints the telegrams of all files.
func (p *program) decode(files []string, to printer) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	bad := false
	for _, name := range files {
		good, damaged, err := p.decodeFile(name, to)
		if err != nil {
			return failure{err, exitUsage}
		}
		if good == 0 && damaged == 0 {
			p.complain("%s: no telegram in it (empty, or recorded with another line setting or an inverted signal?)", name)
		}
		bad = bad || damaged > 0 || good == 0
	}
	if bad {
		return errData
	}
	return nil
}

func (p *program) decodeFile(name string, to printer) (good, damaged int, err error) {
	in := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return 0, 0, err
		}
		defer f.Close()
		in = f
	}
	d := meter.NewDecoder(source.Bytes(in))
	for {
		r, err := d.Next()
		bad := new(meter.TelegramError)
		switch {
		case err == nil:
			good++
			err = to.reading(r)
		case errors.As(err, &bad):
			damaged++
			err = to.damaged(bad)
		case errors.Is(err, io.EOF):
			return good, damaged, nil
		}
		if err != nil {
			return good, damaged, err
		}
	}
}
