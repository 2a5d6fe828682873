package cli

import (
	"errors"
)

// The exit codes.
const (
	ExitGood  = 0
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
		return ExitGood, true
	case errors.Is(err, ErrPrinted):
		return ExitData, true
	case errors.As(err, &f):
		return f.code, false
	}
	return ExitUsage, false
}
