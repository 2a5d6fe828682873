package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// pipeline takes one meter from its bytes to the feeds. It is one goroutine, and timers that only ever mark silence.
type pipeline struct {
	log    zerolog.Logger
	index  int
	meter  Meter
	source probe.Source
	feeds  []*Feed
	all    *journal

	progress *progress.Reporter
	silence  *progress.Reporter // of the timer

	decoder *meter.Decoder
	worked  probe.Endpoint // the last that gave a sound telegram
	wire    faults         // that end with the next telegram
	dropped faults         // telegrams and counters

	happened ratelimit.Limiter // log lines of events

	guard       *guard.Guard
	descriptors descriptors
	since       time.Time // it has spoken without a long pause
	reviewed    time.Time // when descriptors were looked through
	plan        *throttle.Plan
	throttle    *throttle.Throttle
	memory      *memory
	values      []Value // of the telegram
	update      update  // to the feeds
	reminder    []Value // counters of an earlier run
	profiles    profiles
	units       unitCheck
	every       interval
	seq         uint64

	closesEach bool // the log has said that the reader closes each connection
	saidTelnet bool // the log has said that the gateway is in telnet mode
	liveness   liveness
}

// newPipeline makes that of a meter, which begins with what m remembers of it.
func newPipeline(b *Bridge, index int, feeds []*Feed, j *journal) *pipeline {
	m, s := b.meters[index], b.sources[index]
	s.Options.AcceptUnverified = true // they prove that the meter is found, and are not published
	p := &pipeline{
		log: b.log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, all: j,
		decoder: meter.NewDecoder(nil, s.Options), guard: guard.New(m.Fuse), throttle: throttle.New(b.plan),
		liveness: liveness{attempt: new(probe.Attempt)}, plan: b.plan,
	}
	p.remember(b.store)
	return p
}

// run reads the meter until ctx ends or a recording is over: one without a telegram is an error.
func (p *pipeline) run(ctx context.Context) error {
	p.progress.Working()
	defer p.progress.Waiting()
	p.progress.Note("no telegram yet")
	p.listen()
	defer p.finish()
	found := probe.Probe(ctx, p.source, probe.Options{
		ProvedTimeout: p.trust, LastProved: p.worked, Progress: p.progress, Decoder: p.decoder,
	}, p)
	if p.source.Recorded && ctx.Err() == nil {
		return p.recorded(ctx, found)
	}
	return nil
}

// recorded is the end of a recording. One that cannot be read further is not read again: its telegrams have been published.
func (p *pipeline) recorded(ctx context.Context, found probe.Result) error {
	p.awaitRead(ctx)
	if !errors.Is(found.Err, io.EOF) {
		return found.Err
	}
	end := p.stats()
	p.log.Info().Uint64("telegrams", end.Telegrams).Uint64("errors", end.Errors).Msg("end of the recording")
	if end.Telegrams == 0 {
		return fmt.Errorf("%s: no telegram in it", p.liveness.attempt.Port)
	}
	return nil
}

// accept hands a verified telegram to the feeds.
func (p *pipeline) accept(ctx context.Context, r *meter.Reading) {
	now := time.Now()
	if now.Sub(p.every.last) > probe.LongestInterval {
		p.since = now
	}
	p.every.add(now)
	p.follow(r, now)
	good := p.measure(r, now)
	p.weigh(now, good)
	p.seq++
	p.all.add(Telegram{Meter: p.index, Seq: p.seq, Received: now, MeterTime: zoned(r.Time, now), Values: p.values})
	counted, seldom := p.choose(now)
	p.speak(r, now) // wakes the outputs
	p.memory.note(&p.liveness.about, p.update.descriptors, p.decoder.CurrentScaling(), counted, seldom, p.guard)
	if p.decoder.TelnetNegotiated() && !p.saidTelnet {
		p.saidTelnet = true
		p.log.Warn().Msg(line.Telnet.Advice())
	}
	p.wire.Recovered()
	if p.source.Recorded {
		p.awaitRead(ctx)
	}
}

// awaitRead waits until every output has taken all telegrams. It is the outputs that are stuck if that lasts.
func (p *pipeline) awaitRead(ctx context.Context) {
	p.progress.Waiting()
	p.all.awaitRead(ctx)
	p.progress.Working()
}

// The methods of probe.Handler: what a pipeline does with what the search for its meter finds.

// minTrust is how long a wire may at least be without a sound telegram before all endpoints are tried again.
const minTrust = time.Minute

// trust is how long a proved wire may go without a sound telegram.
func (p *pipeline) trust() time.Duration { return max(minTrust, p.every.patience()) }

// Reading takes a telegram.
func (p *pipeline) Reading(ctx context.Context, r *meter.Reading) (enough bool) {
	if r.Verified {
		p.accept(ctx, r)
		p.proved()
	}
	return false
}

// proved notes that a sound telegram has come.
func (p *pipeline) proved() {
	now, before := p.liveness.attempt.Endpoint, p.worked
	if before.Dial != nil && !before.Same(now) {
		p.changed("the meter is read with other settings", settingsChanged(before, now))
	}
	p.worked = now
	p.liveness.attempt.PauseEvidence(time.Now().Add(2 * p.every.learned()))
}

// maxTelegramsPerConn separates two kinds of readers. If a connection ended after this many telegrams or fewer, the reader closes each
// connection on purpose, which is logged once. If it ended after more, each end is logged, at a limited rate.
const maxTelegramsPerConn = 3

// Ended logs how a connection ended, where that is a fault. The search always goes on.
func (p *pipeline) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil:
		p.liveness.mu.Lock()
		p.liveness.found = p.liveness.found.With(e.Finding)
		p.liveness.mu.Unlock()
	case errors.Is(e.Err, probe.ErrClosed) && e.Telegrams > maxTelegramsPerConn:
		if count, ok := p.wire.Allow(string(probe.ErrClosed)); ok {
			p.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	case errors.Is(e.Err, probe.ErrClosed) && !p.closesEach:
		p.closesEach = true
		p.log.Info().Msg("the reader closes the connection behind a telegram: it is opened again each time, and nothing is lost")
	case errors.Is(e.Err, probe.ErrClosed):
	case e.Wait > 0:
		p.unread(p.wire.warn(p.log, "cannot read the meter, trying again", e.Err.Error(), e.Err, e.Wait))
		p.progress.Note("cannot be read: " + e.Err.Error())
	}
	return true
}
