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
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/mask"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// listener is the probe.Handler of a capture: it keeps what comes from the first endpoint that gives a telegram.
type listener struct {
	out      *captureFile
	count    int              // of telegrams after which it is enough; 0: never
	mask     *masked          // nil unless numbers are to be masked
	received func() time.Time // when what was read last came; nil: now

	decoder           *meter.Decoder // of the wire in use; nil where numbers are masked
	recorded          bool           // it is a file, not a meter
	begun             bool
	closed            bool   // the last connection was closed behind a telegram
	waited            bool   // an endpoint of this round gave no telegram in its time
	named             string // the wire that is read, as it was said
	line              []byte
	bytes             int64
	good, bad, sealed int // telegrams: read, damaged, sound but of a kind that is not read or not without its key
	locked            *dlms.LockedError
	telnet            bool // a gateway in telnet mode was read
	tried             probe.Findings
}

// listen searches the endpoints until one gives a telegram, and stays with that one until it ends.
func (l *listener) listen(ctx context.Context, s probe.Source) error {
	l.recorded = s.Recorded
	found := probe.Probe(ctx, s, probe.Options{CopyTo: l.copy, Decode: func(wire io.Reader) probe.Decoder {
		if l.mask != nil {
			return &masker{listener: l, Masker: mask.New(wire, s.Options), start: l.bytes}
		}
		l.decoder = meter.NewDecoder(wire)
		l.decoder.Options = s.Options
		return l.decoder
	}}, l)
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
	fmt.Fprintf(safetext.Lines{W: l.out.say}, format+"\n", args...)
}

// Reading counts a telegram.
func (l *listener) Reading(context.Context, *meter.Reading, bool) (enough bool) {
	l.good++
	return l.enough()
}

// Damaged counts a telegram that gave no reading.
func (l *listener) Damaged(e *meter.TelegramError) (enough bool) {
	if !e.Sound {
		l.bad++
		return false
	}
	l.sealed++
	if locked, ok := errors.AsType[*dlms.LockedError](e); ok && l.locked == nil {
		l.locked = locked
		l.say("%s", l.lockedAdvice())
	}
	return l.enough()
}

func (l *listener) enough() bool {
	l.telnet = l.telnet || l.decoder != nil && l.decoder.Telnet()
	l.closed = false
	return l.count > 0 && l.counted() >= l.count
}

// Ended tells if there is anything more to read: another endpoint, or the same one, where a reader closed it behind a telegram.
func (l *listener) Ended(e probe.End) (goOn bool) {
	switch {
	case e.Err == nil && len(e.Left) == 0:
		l.say("no telegram from %s in %v; all have been tried, and are tried again", daemon.WireName(e.Finding.Endpoint), probe.Dwell)
		l.waited = false
		return true
	case e.Err == nil:
		l.say("no telegram from %s in %v; next: %s", daemon.WireName(e.Finding.Endpoint), probe.Dwell, daemon.WireName(e.Left[0]))
		l.waited = true
		return true
	case errors.Is(e.Err, probe.ErrClosed):
		l.closed = true
		return true
	case e.Again:
		return false
	case len(e.Left) > 0:
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

// Opened writes what stands before the lines of a wire.
func (l *listener) Opened(a *probe.Attempt) error {
	name := daemon.WireName(a.Endpoint)
	again := l.named == name
	if !again {
		l.named = name
		l.say("reading %s; Ctrl-C ends it", l.named)
	}
	head := ""
	if !l.begun {
		head = captureHeader()
		if l.mask != nil {
			head += "# anonymised: numbers of meters and texts are masked, checksums mended\n"
		}
	}
	l.begun = true
	if a.Line != "" && !again {
		head += "# line " + a.Line + "\n"
	}
	if _, err := io.WriteString(l.out, head); err != nil {
		return errKeep{err}
	}
	return nil
}

// report says what was captured, and returns how the program ends.
func (l *listener) report(err error) error {
	_, unkept := errors.AsType[errKeep](err)
	switch {
	case err != nil && l.bytes == 0 && (l.recorded || unkept):
		return err // a file was named that cannot be read or written
	case err != nil && l.bytes == 0:
		return cli.DataError(err)
	case err == nil && !l.begun:
		return nil // it was ended before a wire was open
	}
	text := fmt.Sprintf("%d bytes; telegrams: %d good, %d damaged", l.bytes, l.good, l.bad)
	if l.sealed > 0 {
		text += fmt.Sprintf(", %d that could not be read", l.sealed)
	}
	if l.mask != nil {
		text = l.masked()
	}
	l.say("%s: %s", l.out.name, text)
	if l.telnet && l.good > 0 {
		l.say("%s", line.Telnet.Advice())
	}
	if l.mask != nil && l.good == 0 {
		l.out.remove()
	}
	switch {
	case err != nil:
		return cli.DataError(err)
	case l.good+l.sealed == 0 && l.recorded:
		return cli.DataError(errors.New("no telegram in it: " + render.NoTelegram))
	case l.good+l.sealed == 0:
		return cli.DataError(fmt.Errorf("no telegram%s", l.advice()))
	case l.good == 0 && l.mask != nil:
		return cli.DataError(errors.New("nothing could be masked, so there is nothing to show"))
	}
	return nil
}

// advice says what to do where there was no telegram. To try another setting helps only where one alone was tried.
func (l *listener) advice() string {
	best, _ := l.tried.Best()
	if len(l.tried) > 1 && best.Verdict.AboutSetting() {
		return fmt.Sprintf(" at the %d settings tried: hanbridge doctor tries them all, and says what is most likely wrong", len(l.tried))
	}
	return ": " + best.Verdict.Advice()
}

// lockedAdvice says what becomes of encrypted telegrams.
func (l *listener) lockedAdvice() string {
	switch {
	case l.mask != nil && l.locked.AuthKey:
		return "encrypted telegrams, and the key fits, but its authentication key does not: they are left out, since what is in them " +
			"cannot be masked. Compare auth_key (--auth-key) with what your grid company gave you, or leave it out"
	case l.mask != nil && l.locked.Tried:
		return "encrypted telegrams, and no key fits: they are left out, since what is in them cannot be masked; " + render.MaybeSwapped
	case l.mask != nil:
		return "encrypted telegrams: without the key they are left out, since what is in them cannot be masked. Name it with " +
			"--key-file FILE: what is written is encrypted with a public test key, never with yours"
	case l.locked.AuthKey:
		return "encrypted telegrams, and the key fits, but its authentication key does not: they are kept as they are. Compare auth_key " +
			"(--auth-key) with what your grid company gave you, " + render.WithoutAuthKey
	case l.locked.Tried:
		return "encrypted telegrams, and no key fits: they are kept as they are; " + render.MaybeSwapped
	}
	return "encrypted telegrams: they are kept as they are, with the number of the meter in clear (--anonymise masks it)"
}
