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

// SignalContext returns a context that ends when the program receives its first terminating signal. A second signal ends the program
// immediately.
func SignalContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // runs until the program ends
		<-signals.First()
		signals.Stop()
		cancel()
	}()
	return ctx
}

// Interruptible calls load and returns its result. If ctx ends first, Interruptible returns ErrStopped and does not wait for load. A signal
// therefore ends the program even while load waits for a disk that does not answer.
func Interruptible[T any](ctx context.Context, load func() (T, error)) (zero T, _ error) {
	var result T
	var err error
	done := make(chan struct{})
	go func() { // if load hangs, this goroutine lives until the program ends
		defer close(done)
		result, err = load()
	}()
	select {
	case <-done:
		return result, err
	case <-ctx.Done():
		return zero, ErrStopped
	}
}

// ErrStopped is the error of a command that a signal stopped before its work began.
var ErrStopped = DataError(errors.New("stopped"))

// UntilPipeBreaks returns a context, and writers to out and errOut. The context ends with ctx, or when a write fails because a pipe has no
// reader any more. The writers drop text for a pipe without a reader. The caller must call done when it does not need the context any more.
func UntilPipeBreaks(ctx context.Context, out, errOut io.Writer) (ending context.Context, toOut, toErr io.Writer, done func()) {
	ending, cancel := context.WithCancel(ctx)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE) // without Notify, this signal would end the program immediately
	done = func() { signal.Stop(pipe); cancel() }
	return ending, pipeWriter{out, cancel}, pipeWriter{errOut, cancel}, done
}

// pipeWriter calls onBroken when a write fails because the pipe has no reader any more.
type pipeWriter struct {
	io.Writer
	onBroken func()
}

func (w pipeWriter) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		w.onBroken()
		return len(b), nil
	}
	return n, err
}
