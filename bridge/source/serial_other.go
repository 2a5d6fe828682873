//go:build !unix

package source

import (
	"fmt"
	"io"
)

// lock does nothing where a port has one reader anyway.
func lock(string) (io.ReadCloser, error) { return io.NopCloser(nil), nil }

// denied says what is known where ports have no group.
func denied(path string) error {
	return fmt.Errorf("open %s: permission denied (does another program read it?)", path)
}
