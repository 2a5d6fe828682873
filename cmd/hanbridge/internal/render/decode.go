// Package render decodes files and prints their telegrams as a table, as JSON or as CSV. If a file has no telegram, it says why, and what to
// type.
package render

import (
	"fmt"
	"io"
	"slices"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A printer is a format of the output. Its methods append text to dst.
type printer interface {
	// file begins the output of the named file. It is called only if there are several files.
	file(dst []byte, name string) []byte
	// reading prints a decoded telegram.
	// reading prints a decoded telegram.
	// reading prints a decoded telegram.
	reading(dst []byte, r *meter.Reading) []byte
	// damaged prints a telegram that gave no reading. message is for standard error; "" for none.
	damaged(dst []byte, e *meter.TelegramError) (printed []byte, message string)
}

// Decode prints the telegrams of all files in the format "table", "json" or "csv". The file "-" is standard input, which is also read if no
// file is named. keys decrypt telegrams and are tried in order. The error is cli.ErrPrinted if a telegram gave no reading, or a file had none.
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
	if all.encryptedErr != nil {
		p.PrintMessage("%s", all.keyAdvice())
	}
	switch {
	case all.err != nil:
		return cli.UsageError(all.err)
	case all.damaged > 0 || all.empty:
		return cli.ErrPrinted
	}
	return nil
}

// decoding is one run of the command. Its output is buffered, and is written when the buffer is full and before each wait for input.
type decoding struct {
	*cli.Program
	printer
	keys []*dlms.Key
	buf  []byte // output that is not yet written
	err  error  // of standard output; ends the run
}

// flushSize is the length of the buffered output, in bytes, from which it is written.
const flushSize = 1 << 16

// flush writes the buffered output.
func (d *decoding) flush() error {
	if d.err == nil && len(d.buf) > 0 {
		_, d.err = d.Out.Write(d.buf)
	}
	d.buf = d.buf[:0]
	return d.err
}

// flushingReader writes the buffered output before each read, because a read may wait for input. So a telegram is shown as soon as it has
// arrived.
type flushingReader struct {
	io.Reader
	d *decoding
}

func (f flushingReader) Read(p []byte) (int, error) {
	if err := f.d.flush(); err != nil {
		return 0, err
	}
	return f.Reader.Read(p)
}
