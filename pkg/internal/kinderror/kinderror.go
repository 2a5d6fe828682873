// Package kinderror makes errors that have their own text and match an exported error.
package kinderror

import "fmt"

// New returns an error that matches kind (errors.Is). fmt.Sprintf makes its text from format and args. The text of kind is not in it.
func New(kind error, format string, args ...any) error {
	return &kindError{kind: kind, text: fmt.Sprintf(format, args...)}
}

type kindError struct {
	kind error
	text string
}

func (e *kindError) Error() string { return e.text }

// Unwrap returns the kind, for errors.Is.
func (e *kindError) Unwrap() error { return e.kind }
