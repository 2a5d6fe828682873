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

	decoder *meter.Decoder
	worked  probe.Endpoint // the last that gave a sound telegram
	trouble faults         // of the wire
	damage  faults         // of telegrams
	locked  faults         // of telegrams that no key opens

	happened ratelimit.Limiter // log lines of events

	guard    *guard.Guard
	rejected [guard.Derived + 1]faults // counters that were held back, by reason
	loadTold bool                      // the log has said how much will be published
	known    known
	since    time.Time // it has spoken without a long pause
	reviewed time.Time // when known was looked through
	plan     *throttle.Plan
	throttle *throttle.Throttle
	memory   *memory
	values   []Value  // of the telegram
	news     handover // to the feeds
	reminder []Value  // counters of an earlier run
	profiles profiles
	integral integral
	every    interval
	seq      uint64

	closesEach bool // the log has said that the reader closes each connection
	saidTelnet bool // the log has said that the gateway is in telnet mode
	liveness   liveness
}

// newPipeline makes that of a meter, which begins with what m remembers of it.
func newPipeline(b *Bridge, index int, feeds []*Feed, j *journal) *pipeline {
	m, s := b.meters[index], b.sources[index]
	d := meter.NewDecoder(nil)
	d.Options = s.Options
	remembers := newMemory
	if s.Recorded {
		remembers = newReadOnlyMemory
	}
	p := &pipeline{
		log: b.log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, all: j,
		decoder: d, guard: guard.New(m.Fuse), throttle: throttle.New(b.plan),
		liveness: liveness{attempt: new(probe.Attempt)}, memory: remembers(b.store, m.ID, s.Options.Scale), plan: b.plan,
	}
	p.remember(time.Now())
	return p
}

// run reads the meter until ctx ends or a recording is over: one without a telegram is an error.
func (p *pipeline) run(ctx context.Context) error {
	p.progress.Working()
	defer p.progress.Waiting()
	p.progress.Note("no telegram yet")
	p.listen()
	defer p.rest()
	found := probe.Probe(ctx, p.source, probe.Options{
		ReadOn: p.trust, Worked: p.worked, Progress: p.progress,
		Decode: func(wire io.Reader) probe.Decoder { p.decoder.Reset(wire); return p.decoder },
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
	counted := p.choose(now)
	p.speak(r, now) // wakes the outputs
	p.memory.note(&p.liveness.about, p.news.known, p.decoder.Scaling(), counted, p.guard)
	p.sayLoad(now)
	p.sayTelnet()
	p.trouble.over()
	p.locked.over()
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

// sayTelnet says, once, that what is read comes through telnet.
func (p *pipeline) sayTelnet() {
	if p.decoder.Telnet() && !p.saidTelnet {
		p.saidTelnet = true
		p.log.Warn().Msg(line.Telnet.Advice())
	}
}

// follow notices a meter that speaks another profile.
func (p *pipeline) follow(r *meter.Reading, now time.Time) {
	from, changed := p.profiles.add(profile{r.Protocol, r.Family, r.Meter.List != ""})
	if !changed {
		return
	}
	if from.family != p.profiles.now.family {
		p.stranger(now)
	}
	p.changed("the meter speaks another profile", Event{Time: now, Name: ProfileChanged, From: from.String(), To: p.profiles.now.String()})
}
