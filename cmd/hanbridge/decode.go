package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

func (p *program) decodeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "decode [FILE…|-]",
		Short: "Bytes in, values out",
		Long: "Reads telegrams from files, or from standard input with - or nothing, as bytes, as hexadecimal text or as capture\n" +
			"writes them. Exits with 1 when a telegram was damaged or could not be deciphered, or none was there; the good ones\n" +
			"are printed all the same.",
		Example: "  hanbridge decode telegram.txt\n" +
			"  stty -F /dev/ttyUSB0 raw 2400 parenb && hanbridge decode --format json < /dev/ttyUSB0\n" +
			"  hanbridge decode --key-file meter.key telegram.bin\n" +
			"  echo 7EA2434108831385… | hanbridge decode -",
	}
	format := c.Flags().String("format", "table", "table, json (an object a line and telegram) or csv")
	var keys keyFlags
	keys.add(c)
	c.RunE = func(_ *cobra.Command, files []string) error {
		print, ok := printers[*format]
		if !ok {
			return fmt.Errorf("decode: --format %s: it is table, json or csv", *format)
		}
		opens, err := keys.open()
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		signal.Reset() // a signal ends it at once, also while it waits for input
		return p.decode(files, print(p), opens)
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
func (p *program) decode(files []string, to printer, keys []*dlms.Key) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	if slices.Contains(files, "-") && isTerminal(p.in) {
		p.complain("waiting for a telegram: paste it, then Ctrl-D on a line of its own")
	}
	bad := false
	var locked *dlms.LockedError
	for _, name := range files {
		n, err := p.decodeFile(name, to, keys)
		if err != nil {
			return failure{err, exitUsage}
		}
		if n.good == 0 && n.damaged == 0 {
			p.complain("%s: no telegram in it: %s", name, n.noTelegram())
		}
		bad = bad || n.damaged > 0 || n.good == 0
		locked = cmp.Or(locked, n.locked)
	}
	if locked != nil {
		p.complain("%s", lockedAdvice(locked))
	}
	if bad {
		return errData
	}
	return nil
}

// lockedAdvice says which flag opens an encrypted telegram.
func lockedAdvice(e *dlms.LockedError) string {
	switch {
	case e.AuthKey:
		return "telegrams are encrypted, and the key fits, but its authentication key does not (or a telegram is damaged): compare " +
			"--auth-key, or the second key in its line of the file, with what the grid company gave you, " + withoutAuthKey
	case e.Tried:
		return "telegrams are encrypted, and no key that was given fits: ask the grid company for the key of this meter (an old one " +
			"ends with a change of meter), and name it with --key-file FILE or --key HEX; " + maybeSwapped
	}
	return "telegrams are encrypted: the grid company gives you the key; write it into a file, and name that with --key-file FILE " +
		"(or --key HEX, which other users of the machine can see)"
}

// What is said of keys that do not fit, wherever it is.
const (
	withoutAuthKey = "or leave it out: then values are read, but nothing proves them, so that they are published after two alike"
	maybeSwapped   = "where you were given two, key and authentication key may be swapped"
)

// A tally counts the telegrams of a file.
type tally struct {
	good, damaged int
	locked        *dlms.LockedError // the first for which there was no key
	start         []byte            // of the file
	bytes         []byte            // that this stands for
}

func (p *program) decodeFile(name string, to printer, keys []*dlms.Key) (n tally, err error) {
	in := p.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return n, notAFile(name, err)
		}
		defer f.Close()
		in = f
	}
	g := &glimpse{Reader: in, name: name}
	heard := &glimpse{Reader: source.Bytes(g)}
	defer func() { n.start, n.bytes = g.start, heard.start }()
	d := meter.NewDecoder(heard)
	d.Options = meter.Options{Keys: keys}
	for {
		r, err := d.Next()
		bad := new(meter.TelegramError)
		switch {
		case err == nil:
			n.good++
			err = to.reading(r)
		case errors.As(err, &bad):
			n.damaged++
			if locked, ok := errors.AsType[*dlms.LockedError](bad); ok {
				n.locked = cmp.Or(n.locked, locked)
			}
			err = to.damaged(bad)
		case errors.Is(err, io.EOF):
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}
