//go:build !linux

package main

import (
	"context"
	"errors"
)

// simulatePTY needs a pseudo-terminal that can be asked what nobody has read.
func (p *program) simulatePTY(context.Context, *simulatedWire, int) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}
