// Package recorder keeps the bytes of a meter's port with their times in a file, as they came or with the numbers of the
// meter masked.
package recorder

import (
	"context"
	"errors"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// Order is what `capture` is asked for.
type Order struct {
	Config, Port, Serial, Out, From string
	Duration                        time.Duration
	Count                           int
	Force, Anonymise                bool
	Keys                            config.KeyFlags
}

// Run captures what o asks for, until ctx ends.
func Run(ctx context.Context, p *cli.Program, o Order) error {
	if o.Duration < 0 || o.Count < 0 {
		return errors.New("--for and --count are not negative")
	}
	from, received, err := captureSource(p, o)
	if err != nil {
		return err
	}
	out, err := newCaptureFile(p, o)
	if err != nil {
		return err
	}
	defer out.close()
	if o.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Duration)
		defer cancel()
	}
	l := &listener{count: o.Count, out: out, received: received}
	if o.Anonymise {
		l.mask = &masked{}
	}
	return l.report(l.listen(ctx, from))
}
