package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// Options say how Probe searches and reads a source. The zero value is usable.
type Options struct {
	// Dwell is how long the turn of an endpoint without a telegram takes. 0 means the constant Dwell.
	Dwell time.Duration
	// SinglePass ends the search after one round, or if a connection fails or cannot be made. It also makes the search skip no endpoint.
	SinglePass bool
	// ProvedTimeout returns how long a proved endpoint is read without another telegram. Without SinglePass, the only endpoint of a source is
	// read at least as long. nil means for ever.
	ProvedTimeout func() time.Duration
	// LastProved is the endpoint that an earlier search has proved. It is tried first. The zero value means none.
	LastProved Endpoint
	// Decoder decodes the bytes of all connections, one after the other. It must also return telegrams that are not verified, see
	// meter.Options.AcceptUnverified. nil means a meter.Decoder with the options of the source.
	Decoder Decoder
	// Progress gets a report when the search works, and when it waits for bytes or for the next connection. It can be nil.
	Progress *progress.Reporter
	// CopyTo is called with all bytes as they arrive. If it returns an error, the connection ends. CopyTo can be nil.
	CopyTo func(b []byte) error
}

// A Decoder decodes the telegrams in the bytes of a wire, like meter.Decoder. A wire is an open connection to an endpoint. Probe calls Reset with
// a meter.TimedReader.
type Decoder interface {
	Reset(wire io.Reader)
	Next() (*meter.Reading, error)
}

// A Handler receives what a search finds. Its methods are called one after another, by the goroutine that called Probe.
type Handler interface {
	// Opened is called after a wire of the endpoint was opened. If it returns an error, the wire is closed again.
	Opened(a *Attempt) error
	// Reading is called with each telegram that gave a reading. The reading r is valid until Reading returns. A telegram that is not
	// verified must not be published. If done is true, the search ends.
	Reading(ctx context.Context, r *meter.Reading) (done bool)
	// Damaged is called with each telegram that gave no reading. If done is true, the search ends.
	Damaged(e *meter.TelegramError) (done bool)
	// Ended is called after a connection has ended, or a wire could not be opened. If goOn is false, the search ends.
	Ended(e ConnectionEnd) (goOn bool)
}

const (
	// minConnTime is how long a connection must last to reset the backoff. On a shorter connection, the reader sent a telegram that it had
	// stored before.
	minConnTime = 50 * time.Millisecond
	// maxReopenDelay is the longest wait before dialling a reader that closes each connection after a telegram.
	maxReopenDelay = 500 * time.Millisecond
	// maxUnprovedDwells is the longest turn, as a multiple of Options.Dwell, of a reader that closes each connection after a telegram that proves
	// nothing.
	maxUnprovedDwells = 6
	// maxExtraDwells is how many telegrams that are not verified extend a turn, each by Options.Dwell. It is 4 because the Decoder verifies a
	// telegram without a checksum by comparing its codes with the last four different lists of codes.
	maxExtraDwells = 4
)

// prober is a running search.
type prober struct {
	search
	handler Handler
	attempt *Attempt
	backoff ratelimit.Backoff
	done    bool // the handler has ended the search
	result  Result
}

// Probe opens the endpoints of s one after another until a telegram proves an endpoint. It reads the proved endpoint as long as telegrams
// arrive, and then searches again. Probe returns if ctx ends, if h ends the search, or at the end of a recording. With Options.SinglePass it
// returns after one round.
func Probe(ctx context.Context, s Source, o Options, h Handler) Result {
	if o.Decoder == nil {
		s.Options.AcceptUnverified = true
		o.Decoder = meter.NewDecoder(nil, s.Options)
	}
	p := prober{search: newSearch(s, o), handler: h, backoff: ratelimit.Backoff{Min: 100 * time.Millisecond, Max: 3 * time.Second}}
	for {
		end := p.connect(ctx)
		over := p.decide(ctx, &end)
		if a := p.attempt; a != nil && end.opened {
			p.result.Tried = p.result.Tried.With(end.Finding)
			if p.result.Proved = nil; a.Proved { // only the last attempt counts
				p.result.Proved = a
			}
		}
		p.Progress.Waiting()
		goOn := !over && ratelimit.Pause(ctx, end.Wait)
		p.Progress.Working()
		if !goOn {
			return p.result
		}
	}
}

// decide decides how the search continues after a connection, and reports whether the search is over.
func (p *prober) decide(ctx context.Context, end *ConnectionEnd) bool {
	if p.done || ctx.Err() != nil {
		// If ctx has ended because of a timeout while no wire could be opened, the result is the error of the last attempt to open a wire.
		if !end.opened && !errors.Is(ctx.Err(), context.Canceled) {
			p.result.Err = end.Err
		}
		return true
	}
	if p.source.Recorded && end.opened {
		p.result.Err = end.Err
		return true
	}
	proved := p.proved // before chooseNext changes p.proved
	p.chooseNext(end)
	goOn := p.handler.Ended(*end)
	switch {
	case p.SinglePass && end.Err == nil: // no telegram arrived in time
		goOn = goOn && !proved && len(p.remaining) > 0
	case p.SinglePass && !errors.Is(end.Err, ErrClosed): // the wire has failed
		goOn = false
	}
	if !goOn {
		p.result.Err = end.Err
	}
	return !goOn
}

// chooseNext chooses the endpoint of the next connection and the wait before it.
func (p *prober) chooseNext(end *ConnectionEnd) {
	previous, closed := p.remaining, errors.Is(end.Err, ErrClosed)
	if closed && !p.proved && time.Since(p.attempt.began) > maxUnprovedDwells*p.Dwell {
		end.Err = nil // the turn of the endpoint ends
	}
	switch {
	case end.Err == nil:
		p.attempt.began, p.attempt.extraDwells = time.Now(), 0
		p.giveUp(end.Finding.Verdict)
	case closed:
		if end.Duration >= minConnTime {
			p.backoff.Reset()
		}
		end.Wait = min(p.backoff.Next(), maxReopenDelay)
	case p.connectionFailed(end.opened): // the next endpoint is tried without a wait
	default:
		if end.opened && (end.Telegrams > 0 || end.Duration >= time.Second) {
			p.backoff.Reset()
		}
		end.Wait = p.backoff.Next()
	}
	end.Remaining = p.remaining
	end.SameNext = len(p.remaining) > 0 && p.remaining[0].Same(previous[0])
}

// connect opens a wire of the current endpoint, and reads the wire until the connection ends.
func (p *prober) connect(ctx context.Context) (end ConnectionEnd) {
	e, err := p.endpoint()
	if err != nil {
		return ConnectionEnd{Err: err}
	}
	wire, err := e.Dial(ctx)
	if p.attempt == nil || !p.attempt.Same(e) {
		p.attempt = &Attempt{Endpoint: e, began: time.Now()}
	}
	a := p.attempt
	a.OnlyEndpoint, a.Proved, a.FailedRounds = p.onlyEndpoint, p.proved, p.failedRounds
	if err != nil {
		return ConnectionEnd{Err: err, Finding: a.Finding()}
	}
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { wire.Close() })() // closing the wire ends a blocked Read
	a.open()
	if err = p.handler.Opened(a); err == nil {
		err = p.read(ctx, wire, a)
	}
	return ConnectionEnd{Err: err, Finding: a.Finding(), Duration: time.Since(a.opened), Telegrams: a.telegrams, opened: true}
}

// read reads one connection until it ends. It returns nil if no telegram arrived in time, or if the handler ends the search.
func (p *prober) read(ctx context.Context, wire io.ReadCloser, a *Attempt) error {
	timeout, silent := p.timeouts()
	idle := newIdleTimer(wire, a, timeout, silent, p.Dwell, p.SinglePass)
	defer idle.stop()
	p.Decoder.Reset(&probingReader{Reader: wire, Attempt: a, copyTo: p.CopyTo, progress: p.Progress})
	for !p.done {
		reading, err := p.Decoder.Next()
		telegramErr, isTelegramErr := errors.AsType[*meter.TelegramError](err)
		if err != nil && !isTelegramErr {
			return p.endError(a, idle, err)
		}
		p.handleTelegram(ctx, a, idle, reading, telegramErr)
	}
	return nil
}

// handleTelegram passes a telegram to the handler. It restarts or stops the idle timer if the connection must remain open longer. If the telegram
// gave no reading, telegramErr is its error.
func (p *prober) handleTelegram(ctx context.Context, a *Attempt, idle *idleTimer, r *meter.Reading, telegramErr *meter.TelegramError) {
	proves := a.count(telegramErr, telegramErr == nil && r.Verified)
	if proves {
		a.Proved, a.extraDwells = true, 0
		p.markProved()
	}
	if telegramErr != nil {
		p.done = p.handler.Damaged(telegramErr)
	} else {
		p.done = p.handler.Reading(ctx, r)
	}
	switch {
	case proves && p.ProvedTimeout == nil:
		idle.stop()
	case proves:
		idle.restart(p.ProvedTimeout())
	case !p.proved && !a.lastDamaged && a.extraDwells < maxExtraDwells:
		a.extraDwells++ // the next telegram is verified if it has the same codes as this telegram
		idle.restart(p.Dwell)
	}
}

// endError returns the error of a connection that has ended; nil if the idle timer has closed the wire.
func (p *prober) endError(a *Attempt, idle *idleTimer, err error) error {
	switch {
	case idle.hasExpired():
		return nil
	case !p.source.Recorded && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		a.mu.Lock()
		defer a.mu.Unlock()
		a.finding.ClosedByPeer = true
		err = a.closeReason(a.verdict())
	}
	return fmt.Errorf("%s: %w", a.Port, err)
}
