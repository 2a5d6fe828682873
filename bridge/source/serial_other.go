//go:build !unix

package source

import (
	"fmt"
	"io"
)

// lock does nothing, because this system does not let two programs open a port.
func lock(string) (io.ReadCloser, error) { return io.NopCloser(nil), nil }

// errDenied returns the error for a port that the user is not allowed to open, with the likely reason.
func errDenied(path string) error {
	return fmt.Errorf("open %s: permission denied (does another program read the port?)", path)
}
