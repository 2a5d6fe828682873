// Package console prints values for users, on a terminal or into a file or pipe.
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
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Console is a bridge.Output that prints the values of meters. On a terminal it shows a table whose numbers change in place. Elsewhere it
// prints a line for each telegram, with the values that have changed. A Console is also an io.Writer for the log, and prints log lines above
// the table. Write is safe to call while Run runs.
type Console struct {
	w io.Writer
	// terminalSize returns the width in columns and the height in rows. It is nil if w is not a terminal.
	terminalSize func() (width, height int)
	// Width is the maximum length of a line, in characters, if there is no terminal. The Console always prints the first value of a line,
	// and leaves out further values that do not fit. 0 means no limit. Width must be set before Run.
	Width int

	mu         sync.Mutex
	shownText  [256]string // the last text of each quantity, by quantity.ID; "" if there is none
	tableLines int         // the number of lines of the table on the terminal; 0 if there is no table
}

// New returns a Console that writes to w. The function size returns the width of the terminal in columns and its height in rows. If w is not a
// terminal, size must be nil.
func New(w io.Writer, size func() (width, height int)) *Console {
	return &Console{w: w, terminalSize: size}
}

// Streams returns what the Console receives: the values of every telegram.
func (c *Console) Streams() bridge.Streams { return bridge.Streams{Plan: new(throttle.Plan)} }

// Run prints values until ctx ends. It returns the error of the writer.
func (c *Console) Run(ctx context.Context, s *bridge.Subscription) error {
	for {
		select {
		case <-ctx.Done():
			return c.deliver(s)
		case <-s.Ready():
			if err := c.deliver(s); err != nil {
				return err
			}
		}
	}
}

// deliver prints the new values.
func (c *Console) deliver(s *bridge.Subscription) error {
	for b := s.Take(); b != nil; b = s.Take() {
		for i := range b.Changes {
			if err := c.show(b.Changes[i].Values); err != nil {
				return err
			}
		}
		s.Delivered(b.Number)
	}
	return nil
}

// show prints the values that have changed.
func (c *Console) show(values []bridge.Value) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changed []string
	for i := range values {
		v := &values[i]
		text := strings.TrimSpace(printable(string(v.Append(nil))) + " " + unitOf(v))
		if text != c.shownText[v.ID] {
			c.shownText[v.ID] = text
			changed = append(changed, v.ID.String()+" "+text)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var text string
	if c.terminalSize != nil {
		text = c.eraseTable() + c.table() // all values, not only the changed values
	} else {
		text = c.line(changed) + "\n"
	}
	_, err := io.WriteString(c.w, text)
	return err
}

// line joins the first value and as many further values as fit into Width.
func (c *Console) line(values []string) string {
	const separator, ellipsis = ", ", " …"
	line := values[0]
	for _, v := range values[1:] {
		if c.Width > 0 && utf8.RuneCountInString(line+separator+v+ellipsis) > c.Width {
			return line + ellipsis
		}
		line += separator + v
	}
	return line
}

// Write prints a log line in place of the table. The next values print the table again, below the line.
func (c *Console) Write(line []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.w, c.eraseTable()+string(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// eraseTable returns the control sequence that removes the table from the terminal, and sets tableLines to 0. If there is no table, the sequence
// only moves the cursor to the start of the line.
func (c *Console) eraseTable() string {
	lines := c.tableLines
	c.tableLines = 0
	if lines == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", lines) // cursor up, then erase to the end of the screen
}

const (
	nameWidth   = 24 // of the name of a quantity, in characters
	columnWidth = 40 // of a name and a value, in characters
	linesAbove  = 8  // how many lines of the terminal above the table stay visible
)

// cell returns the text of one value in the table.
func cell(id quantity.ID, text string) string { return fmt.Sprintf("%-*s %s", nameWidth, id, text) }

// table returns the values in as many columns as fit into the width of the terminal. Values that do not fit are left out. It sets tableLines.
func (c *Console) table() string {
	var cells []string
	for id := range quantity.Count() {
		if c.shownText[id] != "" {
			cells = append(cells, cell(quantity.ID(id), c.shownText[id]))
		}
	}
	width, height := c.terminalSize()
	columns := max(width/columnWidth, 1)
	c.tableLines = min((len(cells)+columns-1)/columns, max(height-linesAbove-1, 1)) // the cursor is in the line below the table
	var b strings.Builder
	for i := range c.tableLines {
		line := ""
		for k := i; k < len(cells) && k < columns*c.tableLines; k += c.tableLines { // the cells fill one column after the other
			line += fmt.Sprintf("%-*.*s", columnWidth, columnWidth-1, cells[k])
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

// printable escapes the control characters in a text of a meter, because they could control the terminal.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}
