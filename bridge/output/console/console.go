// Package console is the output for people who look at a terminal: a live table of the values, or a line for each value
// that has changed.
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

// Console is an output for people: on a terminal a table whose numbers change in place, elsewhere a line for every value that
// has changed. Written to, it puts lines of the log above the table.
type Console struct {
	w io.Writer
	// size returns columns and rows of the terminal; nil where there is none.
	size func() (width, height int)

	mu    sync.Mutex
	shown [256]string // by quantity.ID
	lines int         // of the table that is on the terminal
}

// New returns a Console that writes to w. size returns columns and rows of the terminal that w is; nil where it is none.
func New(w io.Writer, size func() (width, height int)) *Console { return &Console{w: w, size: size} }

// Run prints until ctx ends.
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

func (s *Console) deliver(feed *bridge.Feed) error {
	for b := feed.Take(); b != nil; b = feed.Take() {
		for i := range b.News {
			if err := s.show(b.News[i].Values); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Console) show(values []bridge.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed strings.Builder
	for i := range values {
		v := &values[i]
		text := printable(string(v.Append(nil))) + " " + unitOf(v)
		if text != s.shown[v.ID] {
			s.shown[v.ID] = text
			fmt.Fprintf(&changed, "%s\n", row(v.ID, text))
		}
	}
	if changed.Len() == 0 {
		return nil
	}
	text := changed.String()
	if s.size != nil {
		text = s.erased() + s.table()
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// Write puts a line of the log where the table was; the table comes again below it.
func (s *Console) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.w, s.erased()+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// erased returns what takes the table off the terminal: up to its first line, and clear from there.
func (s *Console) erased() string {
	lines := s.lines
	s.lines = 0
	if lines == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", lines)
}

// Widths of the table, and the lines that are left for what stands above it.
const (
	nameWidth   = 24
	columnWidth = 40
	linesAbove  = 8
)

func row(id quantity.ID, text string) string { return fmt.Sprintf("%-*s %s", nameWidth, id, text) }

// table lays the values out in as many columns as the terminal takes. What does not fit is left out: it is on the broker.
func (s *Console) table() string {
	var rows []string
	for id := range quantity.Count() {
		if s.shown[id] != "" {
			rows = append(rows, row(quantity.ID(id), s.shown[id]))
		}
	}
	width, height := s.size()
	columns := max(width/columnWidth, 1)
	s.lines = min((len(rows)+columns-1)/columns, max(height-linesAbove-1, 1))
	var b strings.Builder
	for i := range s.lines {
		line := ""
		for k := i; k < len(rows) && k < columns*s.lines; k += s.lines {
			line += fmt.Sprintf("%-*.*s", columnWidth, columnWidth-1, rows[k])
		}
		line = strings.TrimRight(line, " ")
		b.WriteString(line[:min(len(line), max(width-1, 0))] + "\n")
	}
	return b.String()
}

func unitOf(v *bridge.Value) string {
	row := v.ID.Row()
	if !row.Numeric() {
		return ""
	}
	return row.Measures[v.As].Unit
}

// printable returns text with what could steer the terminal written as escapes.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
