//go:build !unix

package source

import "fmt"

// denied says what is known where ports have no group.
func denied(path string) error {
	return fmt.Errorf("open %s: permission denied (does another program read it?)", path)
}
