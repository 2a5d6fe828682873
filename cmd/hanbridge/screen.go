package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// screen is an output for people: on a terminal a table whose numbers change in place, elsewhere a line for every value that
// has changed. Written to, it puts lines of the log above the table.
type screen struct {
	w io.Writer
	// size returns columns and rows of the terminal; nil where there is none.
	size func() (width, height int)

	mu    sync.Mutex
	shown [256]string // by quantity.ID
	lines int         // of the table that is on the terminal
}

// Run prints until ctx ends.
func (s *screen) Run(ctx context.Context, feed *bridge.Feed) error {
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

func (s *screen) deliver(feed *bridge.Feed) error {
	for b := feed.Take(); b != nil; b = feed.Take() {
		for i := range b.News {
			if err := s.show(b.News[i].Values); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *screen) show(values []bridge.Value) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed strings.Builder
	for i := range values {
		v := &values[i]
		text := safetext.Visible(string(v.Append(nil))) + " " + unitOf(v)
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
func (s *screen) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.w, s.erased()+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// erased returns what takes the table off the terminal: up to its first line, and clear from there.
func (s *screen) erased() string {
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
	above       = 8
)

func row(id quantity.ID, text string) string { return fmt.Sprintf("%-*s %s", nameWidth, id, text) }

// table lays the values out in as many columns as the terminal takes. What does not fit is left out: it is on the broker.
func (s *screen) table() string {
	var rows []string
	for id := range quantity.Count() {
		if s.shown[id] != "" {
			rows = append(rows, row(quantity.ID(id), s.shown[id]))
		}
	}
	width, height := s.size()
	columns := max(width/columnWidth, 1)
	s.lines = min((len(rows)+columns-1)/columns, max(height-above-1, 1))
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
