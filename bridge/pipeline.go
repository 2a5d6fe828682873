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

// pipeline processes one meter, from its bytes to the feeds. It runs in one goroutine. A timer detects silence in another one.
type pipeline struct {
	log     zerolog.Logger
	index   int
	meter   Meter
	source  probe.Source
	feeds   []*Feed
	journal *journal

	progress        *progress.Reporter
	silenceProgress *progress.Reporter // of the silence timer

	decoder        *meter.Decoder
	lastWorking    probe.Endpoint // the last endpoint that gave an intact telegram
	wireFaults     faults         // faults that end with the next telegram
	telegramFaults faults         // faults of telegrams and counters

	eventLines ratelimit.Limiter // log lines of events

	guard          *guard.Guard
	descriptors    descriptors
	sendingSince   time.Time // since when telegrams come without a long pause
	lastExpiry     time.Time // when descriptors were last checked for expired quantities
	plan           *throttle.Plan
	throttle       *throttle.Throttle
	stored         *storedMeter
	values         []Value // of the current telegram
	update         update  // for the feeds
	storedCounters []Value // counters of an earlier run that were not published yet
	profiles       profiles
	units          unitCheck
	interval       interval
	seq            uint64

	loggedCloses bool // it was logged that the reader closes each connection
	loggedTelnet bool // it was logged that the gateway is in telnet mode
	liveness     liveness
}

// newPipeline returns the pipeline of a meter, with the state of the earlier run.
func newPipeline(b *Bridge, index int, feeds []*Feed, j *journal) *pipeline {
	m, s := b.meters[index], b.sources[index]
	s.Options.AcceptUnverified = true // telegrams that are not verified show that the endpoint is right; they are not published
	p := &pipeline{
		log: b.log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, journal: j,
		decoder: meter.NewDecoder(nil, s.Options), guard: guard.New(m.Fuse), throttle: throttle.New(b.plan),
		liveness: liveness{attempt: new(probe.Attempt)}, plan: b.plan,
	}
	p.restore(b.store)
	return p
}

// run reads the meter until ctx ends or a recording is over. A recording without a telegram is an error.
func (p *pipeline) run(ctx context.Context) error {
	p.progress.Working()
	defer p.progress.Waiting()
	p.progress.Note("no telegram yet")
	p.startLiveness()
	defer p.stop()
	result := probe.Probe(ctx, p.source, probe.Options{
		ProvedTimeout: p.readOn, LastProved: p.lastWorking, Progress: p.progress, Decoder: p.decoder,
	}, p)
	if p.source.Recorded && ctx.Err() == nil {
		return p.recorded(ctx, result)
	}
	return nil
}

// recorded ends a recording. If it cannot be read further, it is not read again, since its telegrams were published.
func (p *pipeline) recorded(ctx context.Context, result probe.Result) error {
	p.awaitRead(ctx)
	if !errors.Is(result.Err, io.EOF) {
		return result.Err
	}
	end := p.stats()
	p.log.Info().Uint64("telegrams", end.Telegrams).Uint64("errors", end.Errors).Msg("end of the recording")
	if end.Telegrams == 0 {
		return fmt.Errorf("%s: no telegram in it", p.liveness.attempt.Port)
	}
	return nil
}

// accept processes a verified telegram and puts it into the feeds.
func (p *pipeline) accept(ctx context.Context, r *meter.Reading) {
	now := time.Now()
	if now.Sub(p.interval.last) > probe.LongestInterval {
		p.sendingSince = now
	}
	p.interval.add(now)
	p.updateProfile(r, now)
	accepted := p.measure(r, now)
	p.checkUnits(now, accepted)
	p.seq++
	p.journal.add(Telegram{Meter: p.index, Seq: p.seq, Received: now, MeterTime: zoned(r.Time, now), Values: p.values})
	counted, rare := p.selectValues(now)
	p.reportOnline(r, now) // wakes the outputs
	p.stored.update(&p.liveness.description, p.update.descriptors, p.decoder.CurrentScaling(), counted, rare, p.guard)
	if p.decoder.TelnetNegotiated() && !p.loggedTelnet {
		p.loggedTelnet = true
		p.log.Warn().Msg(line.Telnet.Advice())
	}
	p.wireFaults.Recovered()
	if p.source.Recorded {
		p.awaitRead(ctx)
	}
}

// awaitRead waits until every output has delivered all telegrams. Meanwhile the meter does not count as stuck.
func (p *pipeline) awaitRead(ctx context.Context) {
	p.progress.Waiting()
	p.journal.awaitRead(ctx)
	p.progress.Working()
}

// A pipeline is a probe.Handler by its methods Opened, Reading, Damaged and Ended.

// minReadOn is the shortest value of readOn.
const minReadOn = time.Minute

// readOn returns how long an endpoint that gave an intact telegram may give none before all endpoints are tried again.
func (p *pipeline) readOn() time.Duration { return max(minReadOn, p.interval.maxSilence()) }

// Reading processes a telegram. It never ends the search.
func (p *pipeline) Reading(ctx context.Context, r *meter.Reading) (done bool) {
	if r.Verified {
		p.accept(ctx, r)
		p.noteWorking()
	}
	return false
}

// noteWorking stores that the endpoint has given an intact telegram.
func (p *pipeline) noteWorking() {
	endpoint, before := p.liveness.attempt.Endpoint, p.lastWorking
	if before.Dial != nil && !before.Same(endpoint) {
		p.changed("the meter is read with other settings", settingsChanged(before, endpoint))
	}
	p.lastWorking = endpoint
	p.liveness.attempt.PauseEvidence(time.Now().Add(2 * p.interval.learned()))
}

// maxTelegramsPerConn separates two kinds of readers. If the reader closed a connection after this many telegrams or fewer, it closes each one on
// purpose, which is logged once. If it closed a connection after more telegrams, each such end is logged, at a limited rate.
const maxTelegramsPerConn = 3

// Ended logs how a connection ended, if that is a fault. It never ends the search.
func (p *pipeline) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil:
		p.liveness.mu.Lock()
		p.liveness.findings = p.liveness.findings.With(e.Finding)
		p.liveness.mu.Unlock()
	case errors.Is(e.Err, probe.ErrClosed) && e.Telegrams > maxTelegramsPerConn:
		if count, ok := p.wireFaults.Allow(string(probe.ErrClosed)); ok {
			p.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	case errors.Is(e.Err, probe.ErrClosed) && !p.loggedCloses:
		p.loggedCloses = true
		p.log.Info().Msg("the reader closes the connection after a telegram: it is opened again each time, and nothing is lost")
	case errors.Is(e.Err, probe.ErrClosed):
	case e.Wait > 0:
		p.noteBroken(p.wireFaults.warn(p.log, "cannot read the meter, trying again", e.Err.Error(), e.Err, e.Wait))
		p.progress.Note("cannot be read: " + e.Err.Error())
	}
	return true
}
