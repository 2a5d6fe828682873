//go:build !unix

package source

import (
	"fmt"
	"io"
)

// lock does nothing: on this system a port has one reader anyway.
func lock(string) (io.ReadCloser, error) { return io.NopCloser(nil), nil }

// errDenied gives the likely reason for a refusal. Ports have no group on this system.
func errDenied(path string) error {
	return fmt.Errorf("open %s: permission denied (does another program read it?)", path)
}
