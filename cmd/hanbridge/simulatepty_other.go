//go:build !linux

package main

import (
	"context"
	"errors"
	"io"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatePTY needs a pseudo-terminal that can be asked what nobody has read.
func (p *program) simulatePTY(context.Context, io.ReadCloser, int) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}

func (p *program) sendToPTY(ctx context.Context, wire io.ReadCloser, _ simulate.Wire, count int) error {
	return p.simulatePTY(ctx, wire, count)
}
