// Package cli holds what all commands of the program share: its streams and environment, its exit codes, the files and
// signals that it is given. No command is in it.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"golang.org/x/term"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
)

// Program is what the commands have of the world.
type Program struct {
	Environ  []string
	In       io.Reader
	Out, Err io.Writer
}

// PrintMessage writes a line about what was found.
func (p *Program) PrintMessage(format string, args ...any) {
	fmt.Fprintf(p.Err, "hanbridge: %s\n", safetext.Redact(fmt.Sprintf(format, args...)))
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

// version is set when a release is built.
var version string

// Version returns the release's version, else what the build knows of itself.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// The exit codes.
const (
	ExitOK    = 0
	ExitData  = 1 // it ran, and found bad data or no broker
	ExitUsage = 2 // wrong usage or configuration
)

// ErrPrinted ends a command that has printed all there is to say.
var ErrPrinted = errors.New("bad data")

// failure is an error that says with which code the program ends.
type failure struct {
	error
	code int
}

func (f failure) Unwrap() error { return f.error }

// DataError ends the program with the code for bad data, or for a broker that is not there.
func DataError(err error) error { return failure{err, ExitData} }

// UsageError ends the program with the code for wrong usage, or a wrong configuration.
func UsageError(err error) error { return failure{err, ExitUsage} }

// ExitCode returns the code with which the program ends, and whether err has been printed already.
func ExitCode(err error) (code int, printed bool) {
	var f failure
	switch {
	case err == nil:
		return ExitOK, true
	case errors.Is(err, ErrPrinted):
		return ExitData, true
	case errors.As(err, &f):
		return f.code, false
	}
	return ExitUsage, false
}
