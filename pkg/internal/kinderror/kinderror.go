// Package kinderror makes errors with a text of their own that match an exported error of their package.
package kinderror

import "fmt"

// New returns an error with the text that format and args give. errors.Is reports that it matches kind. The text of kind is
// not part of its own.
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
