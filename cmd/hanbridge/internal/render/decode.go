// Package render prints telegrams that were decoded, as a table, as JSON or as CSV. Where nothing could be decoded it
// says why, and what to type.
package render

import (
	"slices"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A printer writes what was decoded.
type printer struct {
	// file is told the name of each file, where there are several.
	file    func(name string) error
	reading func(r *meter.Reading) error
	damaged func(e *meter.TelegramError) error
}

// Printers are the formats of decode by name.
var Printers = map[string]func(*cli.Program) printer{"table": newTable, "json": newJSON, "csv": newCSV}

// Decode prints the telegrams of all files.
func Decode(p *cli.Program, files []string, to printer, keys []*dlms.Key) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	if slices.Contains(files, "-") && cli.IsTerminal(p.In) {
		p.Complain("waiting for a telegram: paste it, then Ctrl-D on a line of its own")
	}
	var all tally
	for _, name := range files {
		n, err := decodeFile(p, name, len(files) > 1, to, keys)
		if err != nil {
			return cli.UsageError(err)
		}
		if advice := n.advice(); advice != "" {
			p.Complain("%s: %s", name, advice)
		}
		all.add(n)
	}
	if all.locked != nil {
		p.Complain("%s", all.lockedAdvice())
	}
	switch {
	case all.fault != nil:
		return cli.UsageError(all.fault)
	case all.damaged > 0 || all.empty:
		return cli.ErrPrinted
	}
	return nil
}
