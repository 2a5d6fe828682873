// Package render implements the command decode. It decodes files and prints their telegrams as a table, as JSON or as CSV. If a file has no
// telegram, it prints the likely reason and what to do.
package render

import (
	"fmt"
	"io"
	"slices"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// printer is a format of the output. Its methods append text to dst.
type printer interface {
	// file begins the output of the named file. It is called only if there are several files.
	file(dst []byte, name string) []byte
	// reading prints a decoded telegram.
	reading(dst []byte, r *meter.Reading) []byte
	// rejected prints a telegram that gave no reading. message is for standard error; "" for none.
	rejected(dst []byte, e *meter.TelegramError) (printed []byte, message string)
}

// Decode prints the telegrams of all files in the format "table", "json" or "csv". The file "-" is standard input, which is also read if no
// file is named. The keys are tried in order. The error is cli.ErrPrinted if a telegram gave no reading, or if a file had no telegram.
func Decode(p *cli.Program, files []string, format string, keys []*dlms.Key) error {
	output, ok := map[string]printer{"table": &table{}, "json": &jsonLines{}, "csv": &csvRows{}}[format]
	if !ok {
		return fmt.Errorf("decode: --format %s: want table, json or csv", format)
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	if slices.Contains(files, "-") && cli.IsTerminal(p.In) {
		p.PrintMessage("waiting for a telegram: paste the telegram, then press Enter and Ctrl-D")
	}
	d := decoding{Program: p, printer: output, keys: keys}
	var total tally
	for _, name := range files {
		counts := d.decodeFile(name, len(files) > 1)
		if err := d.flush(); err != nil {
			return cli.UsageError(err)
		}
		if advice := counts.advice(); advice != "" {
			p.PrintMessage("%s: %s", name, advice)
		}
		total.add(counts)
	}
	if total.encryptedErr != nil { // one message for all files
		p.PrintMessage("%s", total.keyAdvice())
	}
	switch {
	case total.err != nil:
		return cli.UsageError(total.err)
	case total.rejected > 0 || total.noTelegram:
		return cli.ErrPrinted
	}
	return nil
}

// decoding is one run of the command. Its output is buffered. The buffer is written when it is full, and before each read of the input.
type decoding struct {
	*cli.Program
	printer
	keys []*dlms.Key
	buf  []byte // output that is not yet written
	err  error  // error of standard output, which ends the run
}

// flushSize is how many bytes of output are buffered before they are written.
const flushSize = 1 << 16

// flush writes the buffered output.
func (d *decoding) flush() error {
	if d.err == nil && len(d.buf) > 0 {
		_, d.err = d.Out.Write(d.buf)
	}
	d.buf = d.buf[:0]
	return d.err
}

// flushingReader writes the buffered output before each read, because a read can wait for input. Therefore a telegram is printed as soon as it
// has arrived.
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
