package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/signals"
)

// SignalContext returns a context that ends with the first signal to end the program, counted from its start. A second one ends the
// program at once.
func SignalContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // for as long as the program lives
		<-signals.First()
		signals.Stop()
		cancel()
	}()
	return ctx
}

// Interruptible returns what load does, or ErrStopped as soon as ctx ends: a file may be on a disk that does not answer.
func Interruptible[T any](ctx context.Context, load func() (T, error)) (none T, _ error) {
	var result T
	var err error
	done := make(chan struct{})
	go func() { // where it hangs, the end of the program ends it
		defer close(done)
		result, err = load()
	}()
	select {
	case <-done:
		return result, err
	case <-ctx.Done():
		return none, ErrStopped
	}
}

// ErrStopped is the end of what was stopped before it had begun.
var ErrStopped = DataError(errors.New("stopped"))

// UntilPipeBreaks returns a context that ends with ctx, and with the reader of out or errOut: where the log goes to a pipe whose reader
// has gone, nobody would miss this program, and it ends as with a signal. What is written to such a pipe is dropped.
func UntilPipeBreaks(ctx context.Context, out, errOut io.Writer) (ending context.Context, toOut, toErr io.Writer, done func()) {
	ending, cancel := context.WithCancel(ctx)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE) // else it ends the program at once
	done = func() { signal.Stop(pipe); cancel() }
	return ending, pipeWriter{out, cancel}, pipeWriter{errOut, cancel}, done
}

// pipeWriter calls onBroken where the reader of a pipe has gone.
type pipeWriter struct {
	io.Writer
	onBroken func()
}

func (f pipeWriter) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		f.onBroken()
		return len(b), nil
	}
	return n, err
}
