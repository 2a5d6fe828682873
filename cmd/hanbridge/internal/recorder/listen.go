package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/render"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// listener captures what comes over one of a source's wires: the first that gives a telegram.
type listener struct {
	out   *captureFile
	count int     // of telegrams after which it is enough; 0: never
	mask  *masked // where numbers are to be masked

	recorded          bool // it is a file, not a meter
	begun             bool
	closed            bool   // by the other side
	named             string // the wire that is read, as it was said
	line              []byte
	bytes             int64
	good, bad, sealed int // telegrams: read, damaged, sound but of a kind that is not read or not without its key
	locked            *dlms.LockedError
	telnet            bool          // a gateway in telnet mode was read
	evidence          line.Evidence // of the wire in use
	verdict           line.Verdict  // of the wire that told most
	tried             int           // wires
}

// errLate ends the session of a wire that gave no telegram in its time.
var errLate = errors.New("no telegram")

// listen tries the wires in turn until one gives a telegram, and stays with that one until it ends.
func (l *listener) listen(ctx context.Context, s probe.Source) error {
	l.recorded = s.Recorded
	for {
		all, fault := s.Endpoints()
		silent := 0
		for i, c := range all {
			patience := time.Duration(0)
			if len(all) > 1 || s.Changing {
				patience = daemon.TryTime
			}
			l.tried = max(l.tried, i+1)
			proved, err := l.sessions(ctx, c, s.Options, patience)
			switch {
			case ctx.Err() != nil || proved || patience == 0:
				return err
			case errors.Is(err, errLate):
				silent++
				l.say("no telegram from %s in %v; next: %s", daemon.WireName(c), daemon.TryTime, daemon.WireName(all[(i+1)%len(all)]))
			default:
				fault = err
			}
		}
		if silent == 0 {
			return fault
		}
	}
}

func (l *listener) say(format string, args ...any) {
	fmt.Fprintf(safetext.Lines{W: l.out.say}, format+"\n", args...)
}

// sessions captures a wire, and again each time that a reader in the network closes it behind a telegram.
func (l *listener) sessions(ctx context.Context, c probe.Endpoint, o meter.Options, patience time.Duration) (proved bool, err error) {
	for {
		before := l.counted()
		again := l.closed
		l.closed = false
		proved, err = l.session(ctx, c, o, patience)
		if again && err != nil && l.counted() == before {
			l.closed, err = true, nil // it is not there again
			break
		}
		if err != nil || !l.closed || l.counted() == before || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond): // one that gives what it has kept is not asked without end
		}
	}
	if l.closed {
		l.say("closed by the other side")
	}
	return proved, err
}

// session captures one wire until it ends, or until patience does before a telegram has proved it; 0 is for ever.
func (l *listener) session(ctx context.Context, c probe.Endpoint, o meter.Options, patience time.Duration) (proved bool, err error) {
	wire, err := c.Dial(ctx)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return false, nil // somebody wanted so
	case err != nil:
		return false, err
	}
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { _ = wire.Close() })()
	stay := func() bool { return true } // it tells that the wire is not closed yet
	if patience > 0 {
		stay = time.AfterFunc(patience, func() { _ = wire.Close() }).Stop
		defer stay()
	}
	if err := l.begin(c); err != nil {
		return true, err
	}
	next := l.hear(wire, o)
	for {
		err := next()
		if bad, ok := errors.AsType[*meter.TelegramError](err); err != nil && !ok {
			return proved, l.ended(ctx, c, proved || patience == 0, err)
		} else if !l.tell(bad) {
			continue
		}
		proved = proved || stay()
		if l.count > 0 && l.counted() >= l.count {
			return true, nil
		}
	}
}

// tell counts a telegram, and tells if it came sound. bad is nil for a good one.
func (l *listener) tell(bad *meter.TelegramError) bool {
	switch {
	case bad == nil:
		l.good++
	case bad.Sound:
		l.sealed++
		if e, ok := errors.AsType[*dlms.LockedError](bad); ok && l.locked == nil {
			l.locked = e
			l.say("%s", l.lockedAdvice())
		}
	default:
		l.bad++
	}
	return bad == nil || bad.Sound
}

// counted is how many telegrams are kept that came sound: of masked ones those that are read alone.
func (l *listener) counted() int {
	if l.mask != nil {
		return l.good
	}
	return l.good + l.sealed
}

// begin writes what stands before the lines of a wire.
func (l *listener) begin(c probe.Endpoint) error {
	again := l.named == daemon.WireName(c)
	if !again {
		l.named = daemon.WireName(c)
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
	if c.Line != "" && !again {
		head += "# line " + c.Line + "\n"
	}
	if _, err := io.WriteString(l.out, head); err != nil {
		return errKeep{err}
	}
	return nil
}

// hear returns what waits for the next telegram of a wire, and keeps what it hears.
func (l *listener) hear(wire io.ReadCloser, o meter.Options) (next func() error) {
	l.evidence.Reset()
	if l.mask != nil {
		return l.hearMasked(wire, o)
	}
	d := meter.NewDecoder(evident{l, captureRecorder{l, wire}})
	d.Options = o
	return func() error { _, err := d.Next(); l.telnet = l.telnet || d.Telnet(); return err }
}

// evident looks at what it reads.
type evident struct {
	*listener
	r io.Reader
}

func (e evident) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.bytes += int64(n)
	e.evidence.Add(p[:n])
	return n, err
}

// ended says why a wire gives no more: nothing where somebody wanted so.
func (l *listener) ended(ctx context.Context, c probe.Endpoint, settled bool, err error) error {
	if v := l.evidence.Verdict(); line.Compare(v, l.verdict) < 0 {
		l.verdict = v
	}
	_, ours := errors.AsType[errKeep](err)
	switch {
	case ours:
		return err
	case ctx.Err() != nil:
		return nil
	case !settled:
		return errLate
	case errors.Is(err, io.EOF):
		if strings.HasPrefix(c.Port, "tcp://") {
			l.closed = true
		}
		return nil
	}
	return fmt.Errorf("%s: %w", c.Port, err)
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
	if l.tried > 1 && l.verdict.AboutSetting() {
		return fmt.Sprintf(" at the %d settings tried: hanbridge doctor tries them all, and says what is most likely wrong", l.tried)
	}
	return ": " + l.verdict.Advice()
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
