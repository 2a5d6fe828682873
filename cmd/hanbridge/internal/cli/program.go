// Package cli contains what all commands of the program use: streams, the environment, exit codes, input files, signals and the layout of
// text.
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

// A Program has the environment ("NAME=value" entries) and the standard streams that the commands use.
type Program struct {
	Environ  []string
	In       io.Reader
	Out, Err io.Writer
}

// PrintMessage writes the program's name and a message to standard error, as one line. Secrets in the message are redacted.
func (p *Program) PrintMessage(format string, args ...any) {
	fmt.Fprintf(p.Err, "hanbridge: %s\n", safetext.Redact(fmt.Sprintf(format, args...)))
}

// IsTerminal reports whether a stream is a terminal, where a person reads or types.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// TerminalSize returns a function that returns the current size of the terminal w in columns and rows. If w is no terminal, TerminalSize
// returns nil.
func TerminalSize(w io.Writer) func() (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !IsTerminal(w) {
		return nil
	}
	return func() (int, int) {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
		return 80, 24 // the usual size of a terminal
	}
}

// version is set by the linker when a release is built.
var version string

// Version returns the version of the release. For other builds it returns the module version from the build information, or "dev".
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
	ExitData  = 1 // the command ran, and found bad data or no usable broker
	ExitUsage = 2 // wrong usage or configuration
)

// ErrPrinted is the error of a command that has already printed what is wrong. Its exit code is ExitData.
var ErrPrinted = errors.New("the error is already printed")

// failure is an error with the exit code of the program.
type failure struct {
	error
	code int
}

func (f failure) Unwrap() error { return f.error }

// DataError returns err with the exit code ExitData.
func DataError(err error) error { return failure{err, ExitData} }

// UsageError returns err with the exit code ExitUsage.
func UsageError(err error) error { return failure{err, ExitUsage} }

// ExitCode returns the exit code for the error of a command. printed is true if err is nil or already printed. An error that is neither
// ErrPrinted nor from DataError has the code ExitUsage.
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
