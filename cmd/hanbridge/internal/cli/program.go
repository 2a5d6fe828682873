// Package cli holds what all commands of the program share: its streams and environment, its exit codes, the files and
// signals that it is given. No command is in it.
package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// Program is what the commands have of the world.
type Program struct {
	Environ  []string
	In       io.Reader
	Out, Err io.Writer
}

// Complain writes a line about what was found.
func (p *Program) Complain(format string, args ...any) {
	fmt.Fprintf(p.Err, "hanbridge: %s\n", safetext.Concealed(fmt.Sprintf(format, args...)))
}

// IsTerminal tells that a person is at the other end of a stream.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TerminalSize returns what tells the columns and rows of a terminal, nil where w is none.
func TerminalSize(w io.Writer) func() (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !IsTerminal(w) {
		return nil
	}
	return func() (int, int) {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
		return 80, 24
	}
}
