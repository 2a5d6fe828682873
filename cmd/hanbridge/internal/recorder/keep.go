package recorder

import (
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// captureHeader is what the first lines of a capture say. What tells a house from others is not among it: no name of a port,
// which has the number of its adapter in it, and no name of a machine.
func captureHeader() string {
	return fmt.Sprintf("%s, version %s\n", capture.Mark, cli.Version())
}

// errKeep is a fault of the file, not of the wire.
type errKeep struct{ error }

func (e errKeep) Unwrap() error { return e.error }

// copy keeps the bytes of a wire as they come.
func (l *listener) copy(b []byte) error {
	l.bytes += int64(len(b))
	if l.mask != nil {
		return nil // its telegrams are kept
	}
	return l.keep(time.Now(), b)
}

// keep writes a line.
func (l *listener) keep(at time.Time, b []byte) error {
	l.line = capture.Record{At: at, Bytes: b}.Append(l.line[:0])
	if _, err := l.out.Write(l.line); err != nil {
		return errKeep{err}
	}
	return nil
}
