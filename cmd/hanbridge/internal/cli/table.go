package cli

import (
	"fmt"
	"io"
	"strings"
)

// A Table prints rows in columns of fixed widths, with one blank between them. A cell that is wider is broken at words, and goes
// on in the next line.
type Table struct {
	W      io.Writer
	Widths []int
}

// Row prints one row, of as many cells as there are widths.
func (t *Table) Row(cells ...string) {
	parts, lines := make([][]string, len(cells)), 1
	for i, cell := range cells {
		parts[i] = strings.Split(Wrap(cell, t.Widths[i]), "\n")
		lines = max(lines, len(parts[i]))
	}
	for n := range lines {
		line := ""
		for i, cell := range parts {
			text := ""
			if n < len(cell) {
				text = cell[n]
			}
			line += fmt.Sprintf("%-*s ", t.Widths[i], text)
		}
		fmt.Fprintln(t.W, strings.TrimRight(line, " "))
	}
}
