// Package console is the output for people who look at a terminal: a live table of the values, or a line for each telegram with
// the values that have changed.
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

// Console is an output for people: on a terminal a table whose numbers change in place, elsewhere a line for each telegram with
// the values that have changed. Written to, it puts lines of the log above the table.
type Console struct {
	w io.Writer
	// size returns columns and rows of the terminal; nil where there is none.
	size func() (width, height int)
	// Width bounds the lines where there is no terminal: values that do not fit are left out, since they are on the broker. 0 is no bound.
	Width int

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
		for i := range b.Updates {
			if err := s.show(b.Updates[i].Values); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Console) show(values []bridge.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []string
	for i := range values {
		v := &values[i]
		text := strings.TrimSpace(printable(string(v.Append(nil))) + " " + unitOf(v))
		if text != s.shown[v.ID] {
			s.shown[v.ID] = text
			changed = append(changed, v.ID.String()+" "+text)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var text string
	if s.size != nil {
		text = s.erased() + s.table()
	} else {
		text = s.line(changed) + "\n"
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// line joins values, as many as fit.
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
	return row.Units[v.UnitIndex].Symbol
}

// printable returns text with what could steer the terminal written as escapes.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
