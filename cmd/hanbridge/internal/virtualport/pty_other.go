//go:build !linux

package virtualport

import (
	"context"
	"errors"
)

// sendToPTY returns an error, because only Linux reports how many bytes of a pseudo-terminal are unread.
func (s *sender) sendToPTY(context.Context) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}
