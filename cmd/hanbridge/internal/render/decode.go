// Package render prints telegrams that were decoded, as a table, as JSON or as CSV. Where nothing could be decoded it
// says why, and what to type.
package render

import (
	"fmt"
	"io"
	"slices"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A printer appends what is printed of telegrams to dst.
type printer interface {
	// file begins the file of that name; it is called where there are several.
	file(dst []byte, name string) []byte
	reading(dst []byte, r *meter.Reading) []byte
	// damaged prints a telegram that gave no reading. complaint is for people, beside what is printed; "" where there is none.
	damaged(dst []byte, e *meter.TelegramError) (printed []byte, complaint string)
}

// Decode prints the telegrams of all files in a format; "-" is standard input, and so is no file.
func Decode(p *cli.Program, files []string, format string, keys []*dlms.Key) error {
	to, ok := map[string]printer{"table": &table{}, "json": &jsonLines{}, "csv": &csvRows{}}[format]
	if !ok {
		return fmt.Errorf("decode: --format %s: it is table, json or csv", format)
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	if slices.Contains(files, "-") && cli.IsTerminal(p.In) {
		p.PrintMessage("waiting for a telegram: paste it, then Ctrl-D on a line of its own")
	}
	d := decoding{Program: p, printer: to, keys: keys}
	var all tally
	for _, name := range files {
		n := d.decodeFile(name, len(files) > 1)
		if err := d.flush(); err != nil {
			return cli.UsageError(err)
		}
		if advice := n.advice(); advice != "" {
			p.PrintMessage("%s: %s", name, advice)
		}
		all.add(n)
	}
	if all.locked != nil {
		p.PrintMessage("%s", all.lockedAdvice())
	}
	switch {
	case all.fault != nil:
		return cli.UsageError(all.fault)
	case all.damaged > 0 || all.empty:
		return cli.ErrPrinted
	}
	return nil
}

// decoding is the work of one command. What it prints is written when there is much of it, and before it waits for more input.
type decoding struct {
	*cli.Program
	printer
	keys []*dlms.Key
	buf  []byte // printed, not yet written
	err  error  // of standard output
}

// enough is how many bytes are printed into memory before they are written.
const enough = 1 << 16

// flush writes what was printed.
func (d *decoding) flush() error {
	if d.err == nil && len(d.buf) > 0 {
		_, d.err = d.Out.Write(d.buf)
	}
	d.buf = d.buf[:0]
	return d.err
}

// flushing has all that was printed written before it reads what may not be there yet: a telegram is seen when it has come.
type flushing struct {
	io.Reader
	d *decoding
}

func (f flushing) Read(p []byte) (int, error) {
	if err := f.d.flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}
