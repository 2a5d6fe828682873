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

// listener is the probe.Handler of a capture. It writes the bytes of each endpoint that is tried. It stays with the first endpoint that gives
// a telegram.
type listener struct {
	out      *captureFile
	count    int              // number of telegrams after which the capture ends; 0 for no limit
	mask     *maskCounts      // nil unless the capture is anonymised
	received func() time.Time // returns the arrival time of the last bytes read; used if the capture is anonymised

	decoder    *meter.Decoder // nil if the capture is anonymised
	recorded   bool           // the source is a file, not a meter
	closed     bool           // the reader closed the last connection after a telegram
	timedOut   bool           // an endpoint gave no telegram within probe.Dwell, in the present pass over all endpoints
	lastOpened string         // name of the endpoint that was opened last; "" before the first
	lineBuf    []byte         // memory for a line of the file, reused
	bytes      int64          // number of bytes received

	good         int                  // number of telegrams with a reading
	damaged      int                  // number of damaged telegrams
	unreadable   int                  // number of intact telegrams without a reading: no key decrypts them, or their kind is unknown
	encryptedErr *dlms.EncryptedError // the first error of a telegram that no key decrypts
	telnet       bool                 // the source is a gateway in telnet mode
	findings     probe.Findings       // what arrived from each endpoint
}

// listen tries the endpoints until one gives a telegram. Then it captures that endpoint until the endpoint or ctx ends.
func (l *listener) listen(ctx context.Context, s probe.Source) error {
	l.recorded = s.Recorded
	o := probe.Options{CopyTo: l.copy}
	if l.mask != nil {
		o.Decoder = &maskingDecoder{l, mask.New(nil, s.Options)}
	} else {
		s.Options.AcceptUnverified = true
		l.decoder = meter.NewDecoder(nil, s.Options)
		o.Decoder = l.decoder
	}
	result := probe.Probe(ctx, s, o, l)
	l.findings = result.Tried
	writeErr, isWriteError := errors.AsType[writeError](result.Err)
	_, isClosedError := errors.AsType[probe.ClosedError](result.Err)
	switch {
	case isWriteError:
		return writeErr
	case isClosedError, l.closed && result.Err != nil: // the reader closed a connection, and possibly could not be reached again
		l.print("%s", probe.ErrClosed)
		return nil
	case s.Recorded && errors.Is(result.Err, io.EOF):
		return nil
	}
	return result.Err
}

// print prints a message for the user.
func (l *listener) print(format string, args ...any) {
	fmt.Fprintf(safetext.LineWriter{W: l.out.messages}, format+"\n", args...)
}

// Reading counts a telegram with a reading.
func (l *listener) Reading(context.Context, *meter.Reading) (enough bool) {
	l.good++
	return l.countTelegram()
}

// Damaged counts a telegram that gave no reading. It prints advice about the key after the first telegram that no key decrypts.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	if !e.Intact {
		l.damaged++
		return false
	}
	l.unreadable++
	if encrypted, ok := errors.AsType[*dlms.EncryptedError](e); ok && l.encryptedErr == nil {
		l.encryptedErr = encrypted
		l.print("%s", l.encryptedAdvice())
	}
	return l.countTelegram()
}

// countTelegram is called after each intact telegram. It sets l.telnet, and reports whether the capture has enough telegrams.
func (l *listener) countTelegram() bool {
	l.telnet = l.telnet || l.decoder != nil && l.decoder.TelnetNegotiated()
	l.closed = false
	return l.count > 0 && l.intact() >= l.count
}

// Ended reports whether the capture continues after a connection. It continues if no telegram arrived in time, or if the reader
// closed the connection after a telegram. After another error it continues unless the endpoint has sent telegrams, the file cannot be written,
// or all endpoints failed.
func (l *listener) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil:
		next := "each setting has been tried, and the first is tried again"
		l.timedOut = len(e.Remaining) > 0 // false if all endpoints were tried
		if l.timedOut {
			next = "next: " + daemon.EndpointName(e.Remaining[0])
		}
		l.print("no telegram from %s in %v; %s", daemon.EndpointName(e.Finding.Endpoint), probe.Dwell, next)
		return true
	case errors.Is(e.Err, probe.ErrClosed):
		l.closed = true
		return true
	case e.SameNext: // the endpoint that has sent telegrams failed
		return false
	case len(e.Remaining) > 0:
		_, isWriteError := errors.AsType[writeError](e.Err)
		return !isWriteError
	}
	// All endpoints were tried. If all failed, it is useless to try them again.
	goOn, l.timedOut = l.timedOut, false
	return goOn
}

// intact returns the number of intact telegrams in the capture. An anonymised capture contains only telegrams with a reading.
func (l *listener) intact() int {
	if l.mask != nil {
		return l.good
	}
	return l.good + l.unreadable
}

// Opened prints the name of an endpoint, and writes the comment lines before its bytes. The comment lines must not identify the house.
// Therefore they contain neither the name of this machine nor the name of the port, which possibly contains the serial number of the
// adapter. Opened does nothing if the last endpoint is opened again.
func (l *listener) Opened(a *probe.Attempt) error {
	name, header := daemon.EndpointName(a.Endpoint), ""
	switch l.lastOpened {
	case name:
		return nil // the same endpoint is opened again
	case "":
		header = fmt.Sprintf("%s, version %s\n", capture.FirstLinePrefix, cli.Version())
		if l.mask != nil {
			header += "# anonymised: numbers of meters and texts are masked, checksums mended\n"
		}
	}
	l.lastOpened = name
	l.print("reading %s; Ctrl-C ends it", name)
	if a.Line != "" {
		header += "# line " + a.Line + "\n"
	}
	return l.write([]byte(header))
}

// writeError is an error of the output file. Other errors come from the source.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// copy counts bytes that have arrived, and writes them to the file unless the capture is anonymised.
func (l *listener) copy(b []byte) error {
	l.bytes += int64(len(b))
	if l.mask != nil {
		return nil
	}
	return l.writeRecord(time.Now(), b)
}

// writeRecord writes a line with the bytes b and the time of their arrival.
func (l *listener) writeRecord(at time.Time, b []byte) error {
	l.lineBuf = capture.Chunk{At: at, Bytes: b}.Append(l.lineBuf[:0])
	return l.write(l.lineBuf)
}

// write writes b to the file. Its error is a writeError.
func (l *listener) write(b []byte) error {
	if _, err := l.out.Write(b); err != nil {
		return writeError{err}
	}
	return nil
}
