//go:build !linux

package virtualport

import (
	"context"
	"errors"
)

// toPTY needs a pseudo-terminal that can be asked what nobody has read.
func (s *sender) toPTY(context.Context) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}
