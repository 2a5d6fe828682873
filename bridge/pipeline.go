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
	search  search
	ear     ear
	conn    connStats // by the wire in use
	trouble faults    // of the wire
	damage  faults    // of telegrams
	locked  faults    // of telegrams that no key opens

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
	doubt    Doubt
	profiles profiles
	integral integral
	every    interval
	seq      uint64

	closesEach bool // the log has said that the reader closes each connection
	saidTelnet bool // the log has said that the gateway is in telnet mode
	voice      voice
}

// newPipeline makes that of a meter, which begins with what m remembers of it.
func newPipeline(b *Bridge, index int, feeds []*Feed, j *journal) *pipeline {
	m, s := b.meters[index], b.sources[index]
	d := meter.NewDecoder(nil)
	d.Options = s.Options
	remembers := newMemory
	if s.Recorded {
		remembers = newLoan
	}
	p := &pipeline{
		log: b.log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, all: j,
		decoder: d, search: search{source: s}, guard: guard.New(m.Fuse), throttle: throttle.New(b.plan),
		memory: remembers(b.store, m.ID, s.Options.Scale), plan: b.plan,
	}
	p.remember(time.Now())
	return p
}

// errNothing ends the session of an endpoint that gave no telegram in its time.
var errNothing = errors.New("no telegram")

// run opens the wire again and again until ctx ends or a recording is over: one without a telegram is an error.
func (p *pipeline) run(ctx context.Context) error {
	p.progress.Working()
	defer p.progress.Waiting()
	p.progress.Note("no telegram yet")
	p.listen()
	defer p.rest()
	wait := backoff{first: 100 * time.Millisecond, most: 3 * time.Second}
	for ctx.Err() == nil {
		opened, err := p.try(ctx)
		switch {
		case p.source.Recorded && opened && ctx.Err() == nil:
			return p.recorded(ctx, err)
		case errors.Is(err, errNothing):
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, closedAfterTelegram):
			p.pause(ctx, p.noteClose(&wait))
			continue
		}
		if p.search.broke(opened, p.trust()) {
			continue
		}
		if opened && (p.conn.telegrams > 0 || time.Since(p.conn.opened) >= time.Second) {
			wait.reset()
		}
		w := wait.next()
		p.unread(p.trouble.warn(p.log, "cannot read the meter, trying again", err.Error(), err, w))
		p.progress.Note("cannot be read: " + err.Error())
		p.pause(ctx, w)
	}
	return nil
}

func (p *pipeline) pause(ctx context.Context, wait time.Duration) {
	p.progress.Waiting()
	pause(ctx, wait)
	p.progress.Working()
}

// A reportedWire tells the Reporter that its goroutine waits while it reads: a wire may be silent for ever.
type reportedWire struct {
	io.ReadCloser
	progress *progress.Reporter
}

func (w reportedWire) Read(b []byte) (int, error) {
	w.progress.Waiting()
	defer w.progress.Working()
	return w.ReadCloser.Read(b)
}

// recorded is the end of a recording. One that cannot be read further is not read again: its telegrams have been published.
func (p *pipeline) recorded(ctx context.Context, err error) error {
	p.awaitRead(ctx)
	if !errors.Is(err, io.EOF) {
		return err
	}
	end := p.stats()
	p.log.Info().Uint64("telegrams", end.Telegrams).Uint64("errors", end.Errors).Msg("end of the recording")
	if end.Telegrams == 0 {
		return fmt.Errorf("%s: no telegram in it", p.search.left[0].Port)
	}
	return nil
}

// try opens the endpoint whose turn it is, and reads it until it ends.
func (p *pipeline) try(ctx context.Context) (opened bool, err error) {
	c, err := p.search.endpoint()
	if err != nil {
		return false, err
	}
	wire, err := c.Dial(ctx)
	if err != nil {
		return false, err
	}
	return true, p.session(ctx, c, reportedWire{wire, p.progress})
}

// session reads one opened wire until it ends.
func (p *pipeline) session(ctx context.Context, c probe.Endpoint, wire io.ReadCloser) error {
	defer wire.Close()
	defer context.AfterFunc(ctx, func() { wire.Close() })()
	p.conn = connStats{opened: time.Now()}
	p.ear.open(c)
	patience, silent := p.search.patience(p.trust())
	watch := newWatch(wire, patience, silent, &p.ear, p.search.alone)
	defer watch.stop()
	p.reads(c)
	d := p.decoder
	d.Reset(overheard{wire, &p.ear, d})
	p.doubt.waits = 0
	for {
		r, err := d.Next()
		bad, damaged := errors.AsType[*meter.TelegramError](err)
		switch {
		case damaged:
			p.damaged(bad)
		case err != nil:
			return p.ended(c, watch, err)
		}
		p.conn.count(!damaged || bad.Sound)
		if damaged && bad.Sound || !damaged && p.accept(ctx, r) {
			p.proves(c)
			watch.extend(p.trust())
		} else if !damaged && !p.search.proved && p.doubt.Waits() {
			watch.extend(dwell)
		}
	}
}

// proves notes that a sound telegram has come.
func (p *pipeline) proves(c probe.Endpoint) {
	if before := p.search.worked; before.Dial != nil && !before.Is(c) {
		p.changed("the meter is read with other settings", settingsChanged(before, c))
	}
	now := time.Now()
	p.search.prove(now)
	p.ear.forget(now.Add(2 * p.every.learned()))
}

// trust is how long a proved wire may go without a sound telegram.
func (p *pipeline) trust() time.Duration { return max(relearn, p.every.patience()) }

// ended says why a wire gives no more.
func (p *pipeline) ended(c probe.Endpoint, watch *watch, err error) error {
	switch {
	case watch.expired():
		p.search.next(p.gaveNothing(c))
		return errNothing
	case closedByPeer(err) && !p.source.Recorded:
		verdict, _ := p.ear.verdict()
		bytes, _ := p.ear.heard()
		return fmt.Errorf("%s: %w", c.Port, p.conn.closeReason(verdict, bytes))
	}
	return fmt.Errorf("%s: %w", c.Port, err)
}

// accept hands a verified telegram to the feeds, and tells if it was one.
func (p *pipeline) accept(ctx context.Context, r *meter.Reading) bool {
	if !p.doubt.Believes(r) {
		return false
	}
	now := time.Now()
	if now.Sub(p.every.last) > longestStay {
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
	p.memory.note(&p.voice.about, p.news.known, p.decoder.Scaling(), counted, p.guard)
	p.sayLoad(now)
	p.sayTelnet()
	p.trouble.over()
	p.locked.over()
	if p.source.Recorded {
		p.awaitRead(ctx)
	}
	return true
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
