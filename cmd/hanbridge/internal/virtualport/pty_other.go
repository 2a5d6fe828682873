//go:build !linux

package virtualport

import (
	"context"
	"errors"
	"io"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// simulatePTY needs a pseudo-terminal that can be asked what nobody has read.
func simulatePTY(context.Context, *cli.Program, io.ReadCloser, int) error {
	return errors.New("--to pty: only on Linux; --to tcp://127.0.0.1:8088 does the same everywhere")
}

func sendToPTY(ctx context.Context, p *cli.Program, wire io.ReadCloser, _ simulate.Wire, count int) error {
	return simulatePTY(ctx, p, wire, count)
}
