// Package console prints values for users: as a live table on a terminal, or elsewhere as a line for each telegram with the values that have
// changed.
package console

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Console prints the values of meters. It is a bridge.Output. On a terminal it shows a table whose numbers change in place, elsewhere a line
// for each telegram with the values that have changed. It is also an io.Writer for the log, which prints lines above the table. Write and Run
// may be used concurrently.
type Console struct {
	w io.Writer
	// terminalSize returns the columns and rows of the terminal. It is nil if there is no terminal.
	terminalSize func() (width, height int)
	// Width is the largest length of a line, in characters, if there is no terminal. Values that do not fit are left out, since they are on the
	// broker. 0 means no limit. It must be set before Run.
	Width int

	mu         sync.Mutex
	shownText  [256]string // by quantity.ID
	tableLines int         // of the table on the terminal
}

// New returns a Console that writes to w. size returns the columns and rows of the terminal. It is nil if w is no terminal.
func New(w io.Writer, size func() (width, height int)) *Console {
	return &Console{w: w, terminalSize: size}
}

// Run prints values until ctx ends. The error is that of the writer.
func (s *Console) Run(ctx context.Context, feed *bridge.Feed) error {
	for {
		select {
		case <-ctx.Done():
			return s.deliver(feed)
		case <-feed.Ready():
			if err := s.deliver(feed); err != nil {
				return err
			}
		}
	}
}

// deliver prints the new values of the feed.
func (s *Console) deliver(feed *bridge.Feed) error {
	for b := feed.Take(); b != nil; b = feed.Take() {
		for i := range b.Updates {
			if err := s.show(b.Updates[i].Values); err != nil {
				return err
			}
		}
	}
	return nil
}

// show prints the values that have changed.
func (s *Console) show(values []bridge.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []string
	for i := range values {
		v := &values[i]
		text := strings.TrimSpace(printable(string(v.Append(nil))) + " " + unitOf(v))
		if text != s.shownText[v.ID] {
			s.shownText[v.ID] = text
			changed = append(changed, v.ID.String()+" "+text)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var text string
	if s.terminalSize != nil {
		text = s.eraseTable() + s.table()
	} else {
		text = s.line(changed) + "\n"
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// line joins as many values as fit into Width.
func (s *Console) line(values []string) string {
	const between, more = ", ", " …"
	line := values[0]
	for _, v := range values[1:] {
		if s.Width > 0 && utf8.RuneCountInString(line+between+v+more) > s.Width {
			return line + more
		}
		line += between + v
	}
	return line
}

// Write prints a log line in place of the table. The next values print the table below the line.
func (s *Console) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.w, s.eraseTable()+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// eraseTable returns the control sequence that removes the table from the terminal. The table then counts as removed.
func (s *Console) eraseTable() string {
	lines := s.tableLines
	s.tableLines = 0
	if lines == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", lines)
}

// The widths of the table in characters, and the number of lines that remain above it.
const (
	nameWidth   = 24
	columnWidth = 40
	linesAbove  = 8
)

// row returns a cell of the table.
func row(id quantity.ID, text string) string { return fmt.Sprintf("%-*s %s", nameWidth, id, text) }

// table returns the values in as many columns as the terminal has room for. Values that do not fit are left out, since they are on the broker.
func (s *Console) table() string {
	var rows []string
	for id := range quantity.Count() {
		if s.shownText[id] != "" {
			rows = append(rows, row(quantity.ID(id), s.shownText[id]))
		}
	}
	width, height := s.terminalSize()
	columns := max(width/columnWidth, 1)
	s.tableLines = min((len(rows)+columns-1)/columns, max(height-linesAbove-1, 1))
	var b strings.Builder
	for i := range s.tableLines {
		line := ""
		for k := i; k < len(rows) && k < columns*s.tableLines; k += s.tableLines {
			line += fmt.Sprintf("%-*.*s", columnWidth, columnWidth-1, rows[k])
		}
		line = strings.TrimRight(line, " ")
		b.WriteString(line[:min(len(line), max(width-1, 0))] + "\n")
	}
	return b.String()
}

// unitOf returns the unit of a value, or "" for a text.
func unitOf(v *bridge.Value) string {
	row := v.ID.Row()
	if !row.Numeric() {
		return ""
	}
	return row.Units[v.UnitIndex].Symbol
}

// printable returns text with control characters escaped, so that it cannot control the terminal.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
