//go:build !linux

package virtualport

import (
	"context"
	"errors"
)

// sendToPTY returns an error. It needs a pseudo-terminal that tells how many bytes are unread, which only Linux has.
func (s *sender) sendToPTY(context.Context) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}
