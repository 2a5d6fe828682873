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

// pipeline processes one meter, from its bytes to the feeds. It runs in one goroutine. Only the silence timer runs in a goroutine of its own.
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
	lastWorking    probe.Endpoint // the last endpoint that gave an intact telegram, possibly in an earlier run
	wireFaults     faults         // faults that end with the next telegram
	telegramFaults faults         // faults of telegrams and counters

	eventLines ratelimit.Limiter // log lines of events

	guard          *guard.Guard
	descriptors    descriptors
	sendingSince   time.Time // since when telegrams have arrived without a pause longer than probe.LongestInterval
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

	loggedCloses bool // it was logged that the network reader, the device at the meter, closes each connection
	loggedTelnet bool // it was logged that the network reader is in telnet mode
	liveness     liveness
}

// newPipeline returns the pipeline of a meter, with the state that an earlier run has stored.
func newPipeline(b *Bridge, index int, feeds []*Feed, j *journal) *pipeline {
	m, s := b.meters[index], b.sources[index]
	s.Options.AcceptUnverified = true // otherwise an unverified telegram would be an intact TelegramError, which proves the endpoint
	p := &pipeline{
		log: b.log.With().Str("meter", m.ID).Logger(), index: index, meter: m, source: s, feeds: feeds, journal: j,
		decoder: meter.NewDecoder(nil, s.Options), guard: guard.New(m.Fuse), throttle: throttle.New(b.plan),
		liveness: liveness{attempt: new(probe.Attempt)}, plan: b.plan,
	}
	p.restore(b.store)
	return p
}

// run reads the meter until ctx ends, or until the end of a recording. It returns an error if a recording has no telegram.
func (p *pipeline) run(ctx context.Context) error {
	p.progress.Working()
	defer p.progress.Waiting()
	p.progress.Note("no telegram yet")
	p.startLiveness()
	defer p.stop()
	result := probe.Probe(ctx, p.source, probe.Options{
		ProvedTimeout: p.provedTimeout, LastProved: p.lastWorking, Progress: p.progress, Decoder: p.decoder,
	}, p)
	if p.source.Recorded && ctx.Err() == nil {
		return p.finishRecording(ctx, result)
	}
	return nil
}

// finishRecording waits until the outputs have delivered the telegrams of a recording. If the recording could not be read to its end, the result
// is the read error. The recording is then not read again, because its first telegrams were already published.
func (p *pipeline) finishRecording(ctx context.Context, result probe.Result) error {
	p.awaitDelivered(ctx)
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
		p.awaitDelivered(ctx)
	}
}

// awaitDelivered waits until every output has delivered all telegrams. During this wait, the meter does not count as stuck.
func (p *pipeline) awaitDelivered(ctx context.Context) {
	p.progress.Waiting()
	p.journal.awaitDelivered(ctx)
	p.progress.Working()
}

// A pipeline is a probe.Handler by its methods Opened, Reading, Damaged and Ended.

// minProvedTimeout is the shortest result of provedTimeout.
const minProvedTimeout = time.Minute

// provedTimeout returns for how long an endpoint that gave an intact telegram is read without another telegram. After that time, all endpoints
// are tried again.
func (p *pipeline) provedTimeout() time.Duration {
	return max(minProvedTimeout, p.interval.maxSilence())
}

// Reading processes a telegram if it is verified. It never ends the search.
func (p *pipeline) Reading(ctx context.Context, r *meter.Reading) (done bool) {
	if r.Verified {
		p.accept(ctx, r)
		p.noteWorking()
	}
	return false
}

// noteWorking stores that the endpoint has given an intact telegram. If the last one came from another endpoint, an event is reported.
func (p *pipeline) noteWorking() {
	endpoint, last := p.liveness.attempt.Endpoint, p.lastWorking
	if last.Dial != nil && !last.Same(endpoint) { // Dial is nil for an endpoint of an earlier run
		p.reportEvent("the meter is read with other settings", settingsChanged(last, endpoint))
	}
	p.lastWorking = endpoint
	p.liveness.attempt.PauseEvidence(time.Now().Add(2 * p.interval.learned()))
}

// deliberateCloseLimit is a number of telegrams in a connection. A network reader that closes a connection after this many telegrams or fewer
// closes each connection on purpose, which is logged once. If it closes a connection after more telegrams, each such end is logged, at a limited
// rate.
const deliberateCloseLimit = 3

// Ended logs why a connection ended, unless no telegram came in time: the silence timer logs that. It never ends the search.
func (p *pipeline) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil: // no telegram came in time
		p.liveness.mu.Lock()
		p.liveness.findings = p.liveness.findings.With(e.Finding)
		p.liveness.mu.Unlock()
	case errors.Is(e.Err, probe.ErrClosed) && e.Telegrams > deliberateCloseLimit:
		if count, ok := p.wireFaults.Allow(string(probe.ErrClosed)); ok {
			p.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	case errors.Is(e.Err, probe.ErrClosed) && !p.loggedCloses:
		p.loggedCloses = true
		p.log.Info().Msg("the reader closes the connection after a telegram: it is opened again each time, and nothing is lost")
	case errors.Is(e.Err, probe.ErrClosed): // was logged before
	case e.Wait > 0:
		p.noteBroken(p.wireFaults.warn(p.log, "cannot read the meter, trying again", e.Err.Error(), e.Err, e.Wait))
		p.progress.Note("cannot be read: " + e.Err.Error())
	}
	return true
}
