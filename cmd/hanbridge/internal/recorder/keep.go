package recorder

import (
	"fmt"
	"io"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/pkg/capture"
)

// captureHeader is what the first lines of a capture say. What tells a house from others is not among it: no name of a port,
// which has the number of its adapter in it, and no name of a machine.
func captureHeader() string {
	return fmt.Sprintf("%s, version %s\n", capture.Mark, cli.Version())
}

// captureRecorder keeps what it reads.
type captureRecorder struct {
	*listener
	wire io.Reader
}

// errKeep is a fault of the file, not of the wire.
type errKeep struct{ error }

func (e errKeep) Unwrap() error { return e.error }

func (r captureRecorder) Read(p []byte) (int, error) {
	n, err := r.wire.Read(p)
	if n > 0 {
		if fault := r.keep(time.Now(), p[:n]); fault != nil {
			return n, fault
		}
	}
	return n, err
}

// keep writes a line.
func (l *listener) keep(at time.Time, b []byte) error {
	l.line = capture.Record{At: at, Bytes: b}.Append(l.line[:0])
	if _, err := l.out.Write(l.line); err != nil {
		return errKeep{err}
	}
	return nil
}
