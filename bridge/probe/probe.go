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

// Options say how a source is searched and read.
type Options struct {
	// Dwell is how long an endpoint may take to give a telegram; 12 s if it is 0.
	Dwell time.Duration
	// SinglePass tells that each endpoint has one turn, and none is passed over. A wire that fails then ends the search.
	SinglePass bool
	// ProvedTimeout returns how long a wire is read on without another telegram if it is proved, or if there is no other; nil is for ever.
	ProvedTimeout func() time.Duration
	// LastProved is the endpoint that an earlier search has proved, which is tried first. The zero value is none.
	LastProved Endpoint
	// Decoder finds the telegrams in the wires, one after the other; nil is a meter.Decoder with the options of the source. It
	// returns telegrams that are not verified too: see meter.Options.AcceptUnverified.
	Decoder Decoder
	// Progress is told when the search works, and when it waits for bytes or for the next attempt; it may be nil.
	Progress *progress.Reporter
	// CopyTo is given all bytes as they come; nil is nobody. An error ends the connection.
	CopyTo func(b []byte) error
}

// A Decoder finds telegrams in the bytes of a wire, as meter.Decoder does.
type Decoder interface {
	Reset(wire io.Reader)
	Next() (*meter.Reading, error)
	NoteSilence()
}

// A Handler is told what a search finds. Its methods are called one after another, by the goroutine that called Probe.
type Handler interface {
	// Opened tells that a wire of the endpoint is open. An error closes it again.
	Opened(a *Attempt) error
	// Reading takes a telegram, valid until it returns. One that is not verified must not be published. The search ends if enough is
	// returned.
	Reading(ctx context.Context, r *meter.Reading) (enough bool)
	// Damaged takes a telegram that gave no reading. The search ends if enough is returned.
	Damaged(e *meter.TelegramError) (enough bool)
	// Ended tells how a connection has ended, or could not be made. The search goes on if it returns true.
	Ended(e ConnectionEnd) (goOn bool)
}

// A ConnectionEnd is how a connection has ended.
type ConnectionEnd struct {
	// Err is nil if no telegram came in time. It is ErrClosed if the other side has closed the connection behind a telegram.
	Err error
	// Finding is what the endpoint has given until then.
	Finding Finding
	// Duration is how long the connection was open, and Telegrams how many came whole in it.
	Duration  time.Duration
	Telegrams int
	// Wait is how long the search waits before it opens a wire again; 0 if the next endpoint has its turn at once.
	Wait time.Duration
	// Remaining are the endpoints of this round whose turn is not over. SameNext tells that the first of them is the same one again.
	Remaining []Endpoint
	SameNext  bool

	opened bool
}

// A Result is what a search has found.
type Result struct {
	// Proved is the endpoint that gave a sound telegram and was read last, nil if it did not.
	Proved *Attempt
	// Tried is what each endpoint gave whose turn is over, or was it at the end.
	Tried Findings
	// Err is why the search could not go on; nil if it was ended, or all endpoints had their turn.
	Err error
}

const (
	// minConnTime: a connection that ended sooner gave a telegram from the reader's memory, not from the meter, and the back-off grows.
	minConnTime = 50 * time.Millisecond
	// maxReopenDelay is the longest pause before a reader is dialled again that closes each connection behind a telegram.
	maxReopenDelay = 500 * time.Millisecond
	// maxUnproved is how many times its dwell an endpoint is dialled again that closes each connection behind a telegram, none of which
	// can be believed.
	maxUnproved = 6
	// maxExtra is how many telegrams that are not verified give an endpoint one dwell more: the Decoder compares a telegram with
	// the last four without a checksum.
	maxExtra = 4
)

// prober is a running search.
type prober struct {
	search
	handler Handler
	attempt *Attempt
	wait    ratelimit.Backoff
	enough  bool
	result  Result
}

// Probe reads the endpoints of s in turn until one gives a telegram, stays with that one as long as telegrams come, and then searches
// again. It ends when ctx does, when h says so, when a recording is over, or, with Options.SinglePass, when each endpoint had its turn.
func Probe(ctx context.Context, s Source, o Options, h Handler) Result {
	if o.Decoder == nil {
		s.Options.AcceptUnverified = true
		o.Decoder = meter.NewDecoder(nil, s.Options)
	}
	p := prober{search: newSearch(s, o), handler: h, wait: ratelimit.Backoff{Min: 100 * time.Millisecond, Max: 3 * time.Second}}
	for {
		end := p.try(ctx)
		over := p.over(ctx, &end)
		if a := p.attempt; a != nil && end.opened {
			p.result.Tried = p.result.Tried.With(end.Finding)
			if p.result.Proved = nil; a.Proved {
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

// over decides how the search goes on behind a connection, and reports whether it is over.
func (p *prober) over(ctx context.Context, end *ConnectionEnd) bool {
	if p.enough || ctx.Err() != nil {
		if !end.opened && !errors.Is(ctx.Err(), context.Canceled) {
			p.result.Err = end.Err
		}
		return true
	}
	if p.source.Recorded && end.opened {
		p.result.Err = end.Err
		return true
	}
	proved := p.proved
	p.proceed(end)
	goOn := p.handler.Ended(*end)
	switch {
	case p.SinglePass && end.Err == nil:
		goOn = goOn && !proved && len(p.left) > 0
	case p.SinglePass && !errors.Is(end.Err, ErrClosed):
		goOn = false
	}
	if !goOn {
		p.result.Err = end.Err
	}
	return !goOn
}

// proceed chooses the endpoint that is read next, and how long to wait before.
func (p *prober) proceed(end *ConnectionEnd) {
	before, closed := p.left, errors.Is(end.Err, ErrClosed)
	if closed && !p.proved && time.Since(p.attempt.began) > maxUnproved*p.Dwell {
		end.Err = nil
	}
	switch {
	case end.Err == nil:
		p.attempt.began, p.attempt.extra = time.Now(), 0
		p.next(end.Finding.Verdict)
	case closed:
		if end.Duration >= minConnTime {
			p.wait.Reset()
		}
		end.Wait = min(p.wait.Next(), maxReopenDelay)
	case p.broke(end.opened): // the next is tried at once
	default:
		if end.opened && (end.Telegrams > 0 || end.Duration >= time.Second) {
			p.wait.Reset()
		}
		end.Wait = p.wait.Next()
	}
	end.Remaining = p.left
	end.SameNext = len(p.left) > 0 && p.left[0].Same(before[0])
}

// try opens the endpoint whose turn it is, and reads it until it ends.
func (p *prober) try(ctx context.Context) (end ConnectionEnd) {
	e, err := p.endpoint()
	if err != nil {
		return ConnectionEnd{Err: err}
	}
	wire, err := e.Dial(ctx)
	if p.attempt == nil || !p.attempt.Same(e) {
		p.attempt = &Attempt{Endpoint: e, began: time.Now()}
	}
	a := p.attempt
	a.OnlyEndpoint, a.Proved, a.FailedRounds = p.alone, p.proved, p.fruitless
	if err != nil {
		return ConnectionEnd{Err: err, Finding: a.Finding()}
	}
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { wire.Close() })()
	a.open()
	if err = p.handler.Opened(a); err == nil {
		err = p.read(ctx, wire, a)
	}
	return ConnectionEnd{Err: err, Finding: a.Finding(), Duration: time.Since(a.opened), Telegrams: a.telegrams, opened: true}
}

// read reads one connection until it ends. It returns nil if no telegram came in time, or if enough was read.
func (p *prober) read(ctx context.Context, wire io.ReadCloser, a *Attempt) error {
	patience, silent := p.patience()
	idle := newIdleTimer(wire, a, patience, silent, p.Dwell, p.SinglePass)
	defer idle.stop()
	p.Decoder.Reset(&probingReader{Reader: wire, Attempt: a, decoder: p.Decoder, copyTo: p.CopyTo, progress: p.Progress})
	for !p.enough {
		reading, err := p.Decoder.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		if err != nil && !damaged {
			return p.ended(a, idle, err)
		}
		p.telegram(ctx, a, idle, reading, bad)
	}
	return nil
}

// telegram takes in a telegram, or with bad one that gave no reading, and gives the wire its time again.
func (p *prober) telegram(ctx context.Context, a *Attempt, idle *idleTimer, r *meter.Reading, bad *meter.TelegramError) {
	proves := a.count(bad, bad == nil && r.Verified)
	if proves {
		a.Proved, a.extra = true, 0
		p.prove()
	}
	if bad != nil {
		p.enough = p.handler.Damaged(bad)
	} else {
		p.enough = p.handler.Reading(ctx, r)
	}
	switch {
	case proves && p.ProvedTimeout == nil:
		idle.stop()
	case proves:
		idle.extend(p.ProvedTimeout())
	case !p.proved && !a.lastDamaged && a.extra < maxExtra:
		a.extra++ // the next one may be alike
		idle.extend(p.Dwell)
	}
}

// ended says why a wire gives no more.
func (p *prober) ended(a *Attempt, idle *idleTimer, err error) error {
	switch {
	case idle.hasExpired():
		return nil
	case !p.source.Recorded && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		a.mu.Lock()
		defer a.mu.Unlock()
		a.finding.ClosedByPeer = true
		err = a.closeReason(a.evidence.Verdict())
	}
	return fmt.Errorf("%s: %w", a.Port, err)
}
