package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// listener is the probe.Handler of a capture: it keeps what comes from the first endpoint that gives a telegram.
type listener struct {
	out      *captureFile
	count    int              // of telegrams after which it is enough; 0: never
	mask     *masked          // nil unless numbers are to be masked
	received func() time.Time // when what was read last came; used if numbers are masked

	decoder           *meter.Decoder // nil where numbers are masked
	recorded          bool           // it is a file, not a meter
	closed            bool           // the last connection was closed behind a telegram
	waited            bool           // an endpoint of this round gave no telegram in its time
	named             string         // the wire that was opened last, as it was said; "" before
	line              []byte
	bytes             int64
	good, bad, sealed int // telegrams: read, damaged, sound but of a kind that is not read or not without its key
	locked            *dlms.EncryptedError
	telnet            bool // a gateway in telnet mode was read
	tried             probe.Findings
}

// listen searches the endpoints until one gives a telegram, and stays with that one until it ends.
func (l *listener) listen(ctx context.Context, s probe.Source) error {
	l.recorded = s.Recorded
	o := probe.Options{CopyTo: l.copy}
	if l.mask != nil {
		o.Decoder = &masker{l, mask.New(nil, s.Options)}
	} else {
		s.Options.AcceptUnverified = true
		l.decoder = meter.NewDecoder(nil, s.Options)
		o.Decoder = l.decoder
	}
	found := probe.Probe(ctx, s, o, l)
	l.tried = found.Tried
	keep, ours := errors.AsType[errKeep](found.Err)
	_, closed := errors.AsType[probe.ClosedError](found.Err)
	switch {
	case ours:
		return keep
	case closed, l.closed && found.Err != nil: // or it is not there again
		l.say("%s", probe.ErrClosed)
		return nil
	case s.Recorded && errors.Is(found.Err, io.EOF):
		return nil
	}
	return found.Err
}

func (l *listener) say(format string, args ...any) {
	fmt.Fprintf(safetext.LineWriter{W: l.out.say}, format+"\n", args...)
}

// Reading counts a telegram.
func (l *listener) Reading(context.Context, *meter.Reading) (enough bool) {
	l.good++
	return l.enough()
}

// Damaged counts a telegram that gave no reading.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	if !e.Intact {
		l.bad++
		return false
	}
	l.sealed++
	if locked, ok := errors.AsType[*dlms.EncryptedError](e); ok && l.locked == nil {
		l.locked = locked
		l.say("%s", l.lockedAdvice())
	}
	return l.enough()
}

func (l *listener) enough() bool {
	l.telnet = l.telnet || l.decoder != nil && l.decoder.TelnetNegotiated()
	l.closed = false
	return l.count > 0 && l.counted() >= l.count
}

// Ended tells if there is anything more to read: another endpoint, or the same one, where a reader closed it behind a telegram.
func (l *listener) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil:
		next := "all have been tried, and are tried again"
		if l.waited = len(e.Remaining) > 0; l.waited {
			next = "next: " + daemon.EndpointName(e.Remaining[0])
		}
		l.say("no telegram from %s in %v; %s", daemon.EndpointName(e.Finding.Endpoint), probe.Dwell, next)
		return true
	case errors.Is(e.Err, probe.ErrClosed):
		l.closed = true
		return true
	case e.SameNext:
		return false
	case len(e.Remaining) > 0:
		_, ours := errors.AsType[errKeep](e.Err)
		return !ours
	}
	goOn, l.waited = l.waited, false
	return goOn
}

// counted is how many telegrams are kept that came sound: of masked ones those that are read alone.
func (l *listener) counted() int {
	if l.mask != nil {
		return l.good
	}
	return l.good + l.sealed
}

// Opened writes what stands before the lines of a wire. What tells a house from others is not among it: no name of a port, which has the
// number of its adapter in it, and no name of a machine.
func (l *listener) Opened(a *probe.Attempt) error {
	name, head := daemon.EndpointName(a.Endpoint), ""
	switch l.named {
	case name:
		return nil // the same one is opened again
	case "":
		head = fmt.Sprintf("%s, version %s\n", capture.FirstLinePrefix, cli.Version())
		if l.mask != nil {
			head += "# anonymised: numbers of meters and texts are masked, checksums mended\n"
		}
	}
	l.named = name
	l.say("reading %s; Ctrl-C ends it", name)
	if a.Line != "" {
		head += "# line " + a.Line + "\n"
	}
	return l.write([]byte(head))
}

// errKeep is a fault of the file, not of the wire.
type errKeep struct{ error }

func (e errKeep) Unwrap() error { return e.error }

// copy keeps the bytes of a wire as they come, unless its telegrams are kept.
func (l *listener) copy(b []byte) error {
	l.bytes += int64(len(b))
	if l.mask != nil {
		return nil
	}
	return l.keep(time.Now(), b)
}

// keep writes a line.
func (l *listener) keep(at time.Time, b []byte) error {
	l.line = capture.Chunk{At: at, Bytes: b}.Append(l.line[:0])
	return l.write(l.line)
}

func (l *listener) write(b []byte) error {
	if _, err := l.out.Write(b); err != nil {
		return errKeep{err}
	}
	return nil
}
