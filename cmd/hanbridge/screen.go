package main

import (
	"context"
	"fmt"
	"io"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// screen is an output for people: on a terminal a table whose numbers change in place, elsewhere a line for every value that
// has changed.
type screen struct {
	w        io.Writer
	terminal bool
	shown    [256]string // by quantity.ID
	lines    int         // of the table that is on the terminal
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
	if len(values) == 0 {
		return nil
	}
	for i := range values {
		v := &values[i]
		text := string(v.Append(nil)) + " " + unitOf(v)
		if text == s.shown[v.ID] {
			continue
		}
		s.shown[v.ID] = text
		if !s.terminal {
			if _, err := fmt.Fprintf(s.w, "%-26s %s\n", v.ID, text); err != nil {
				return err
			}
		}
	}
	if s.terminal {
		return s.redraw()
	}
	return nil
}

// redraw writes the table over the one before.
func (s *screen) redraw() error {
	text := ""
	if s.lines > 0 {
		text = fmt.Sprintf("\x1b[%dA", s.lines) // cursor up
	}
	s.lines = 0
	for id := range quantity.Count() {
		if s.shown[id] == "" {
			continue
		}
		text += fmt.Sprintf("\x1b[2K%-26s %s\n", quantity.ID(id), s.shown[id]) // erase the line first
		s.lines++
	}
	_, err := io.WriteString(s.w, text)
	return err
}

func unitOf(v *bridge.Value) string {
	row := v.ID.Row()
	if !row.Numeric() {
		return ""
	}
	return row.Measures[v.As].Unit
}
