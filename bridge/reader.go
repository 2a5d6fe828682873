package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/progress"
	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A meterReader reads one meter. It passes each reading through the chain. It gives the result to the log, to the liveness, to the stored state, and
// through Bridge.pass to the outputs. It is a probe.Handler. Only the goroutine that called run uses it, and the goroutine of the clock in
// silenceAlarm.
type meterReader struct {
	bridge   *Bridge
	meter    Meter
	source   probe.Source
	decoder  *meter.Decoder
	progress *progress.Reporter

	chain    chain
	interval interval
	record   *record
	liveness liveness
	log      meterLog
	stored   *storedMeter
	// lastWorking is the last endpoint that gave an intact telegram, possibly in an earlier run.
	lastWorking probe.Endpoint
}

// newMeterReader returns the reader of a meter, with the state that an earlier run has stored.
func newMeterReader(b *Bridge, m Meter, s probe.Source) *meterReader {
	s.Options.AcceptUnverified = true // otherwise an unverified telegram would be an intact TelegramError, which proves the endpoint
	r := &meterReader{
		bridge: b, meter: m, source: s, decoder: meter.NewDecoder(nil, s.Options), record: &record{Snapshot: Snapshot{Meter: m}},
		chain: chain{meter: m.ID, recorded: s.Recorded, guard: newCounterGuard(m.Fuse)}, log: newMeterLog(b.log, m, b.manyMeters()),
	}
	r.liveness = liveness{record: r.record, attempt: new(probe.Attempt)}
	r.restore(b.store)
	return r
}

// restore restores the state of the meter in an earlier run. No value is published before the first verified telegram. A recording restores no
// counters and stores nothing. It can be replayed, and must not change the state of the meter with the same id.
func (m *meterReader) restore(store *state.Store) {
	s := newStoredMeter(store, m.meter.ID, m.source.Options.Scale)
	m.stored = s
	if m.source.Recorded {
		s.forgetCounters()
	} else {
		store.Register(s.key, s.encode)
	}
	if s.description.Protocol == "" {
		return
	}
	m.lastWorking = probe.Endpoint{Port: s.description.Port, Line: s.description.Line}
	m.decoder.SetCurrentScaling(s.scaling)
	m.chain.identify.restore(s.description, s.counters.Serial)
	m.chain.guard.restore(&s.counters, s.counterValues())
	m.chain.derive.restore(s.descriptors)
	m.interval.restore(s.descriptors)
	m.record.Description, m.record.Descriptors = s.description, m.chain.derive.takeChanged()
}

// run reads the meter until ctx ends, or until the end of a recording. It returns an error if a recording has no telegram.
func (m *meterReader) run(ctx context.Context) error {
	m.progress.Working()
	defer m.progress.Waiting()
	m.progress.Note("no telegram yet")
	m.liveness.start(m.bridge.clock, m.silenceAlarm)
	defer m.stop()
	result := probe.Probe(ctx, m.source, probe.Options{
		ProvedTimeout: m.provedTimeout, LastProved: m.lastWorking, Progress: m.progress, Decoder: m.decoder,
	}, m)
	if m.source.Recorded && ctx.Err() == nil {
		return m.finishRecording(ctx, result)
	}
	return nil
}

// finishRecording waits until the outputs have delivered the telegrams of a recording. If the recording could not be read to its end, the result
// is the read error. The recording is then not read again, because its first telegrams were already published.
func (m *meterReader) finishRecording(ctx context.Context, result probe.Result) error {
	m.progress.Waiting()
	m.bridge.awaitDelivered(ctx)
	m.progress.Working()
	if !errors.Is(result.Err, io.EOF) {
		return result.Err
	}
	end := m.liveness.stats()
	m.log.Info().Uint64("telegrams", end.Telegrams).Uint64("errors", end.Errors).Msg("end of the recording")
	if end.Telegrams == 0 {
		return fmt.Errorf("%s: no telegram in it", m.liveness.attempt.Port)
	}
	return nil
}

// Reading passes a telegram through the chain. It never ends the search.
func (m *meterReader) Reading(ctx context.Context, r *meter.Reading) (done bool) {
	received := r.Received
	if m.source.Recorded {
		received = time.Now() // a file is read in large pieces, and the reading waits for outputs
	}
	res, ok := m.chain.process(r, received)
	if !ok {
		return false
	}
	m.interval.add(received)
	u := update{
		at: received, telegram: res.telegram, earlier: res.guarded.earlier, interval: m.interval.learned(),
		descriptors: res.derived.descriptors, expired: res.derived.expired, forgotten: res.forgotten(), events: res.events(),
	}
	m.record.mu.Lock()
	lines := m.liveness.noteTelegram(r, &res, &u)
	counters := m.bridge.pass(m.record, &u)
	state := m.record.Snapshot
	m.record.mu.Unlock()
	m.log.logTelegram(r, &res, lines, &state)
	m.progress.Note("")
	m.stored.update(&state, res.derived.descriptors, m.decoder.CurrentScaling(), counters, &m.chain)
	if m.decoder.TelnetNegotiated() && m.log.isFirst("telnet") {
		m.log.Warn().Msg(line.Telnet.Advice())
	}
	if m.source.Recorded {
		m.progress.Waiting()
		m.bridge.awaitTaken(ctx)
		m.progress.Working()
	}
	m.noteWorking(received)
	return false
}

// Damaged counts a telegram that gave no reading, and logs why. It never ends the search.
func (m *meterReader) Damaged(e *meter.TelegramError) (done bool) {
	m.record.mu.Lock()
	m.liveness.noteDropped(e)
	m.bridge.pass(m.record, &update{at: e.Received})
	m.record.mu.Unlock()
	m.log.logDamaged(e)
	if e.Intact && m.liveness.attempt.Proved {
		m.noteWorking(e.Received)
	}
	return false
}

// stop passes on the last counts and the values that throttles have withheld. It also stores the counters, so that the next run does not
// begin with values below the last published ones.
func (m *meterReader) stop() {
	m.record.mu.Lock()
	m.liveness.stop()
	m.bridge.pass(m.record, &update{at: time.Now(), final: true})
	state := m.record.Snapshot
	m.record.mu.Unlock()
	if m.chain.seq > 0 {
		m.stored.update(&state, nil, m.decoder.CurrentScaling(), publishedCounters{any: true}, &m.chain)
	}
}

// The methods below follow the search for the endpoint of a meter. Probe calls them, see probe.Handler.

// minProvedTimeout is the shortest result of provedTimeout.
const minProvedTimeout = time.Minute

// provedTimeout returns for how long an endpoint that gave an intact telegram is read without another telegram. After that time, all endpoints
// are tried again.
func (m *meterReader) provedTimeout() time.Duration {
	return max(minProvedTimeout, m.interval.maxSilence())
}

// noteWorking stores that the endpoint has given an intact telegram. If the last one came from another endpoint, an event is reported.
func (m *meterReader) noteWorking(at time.Time) {
	endpoint, last := m.liveness.attempt.Endpoint, m.lastWorking
	if last.Dial != nil && !last.Same(endpoint) { // Dial is nil for an endpoint of an earlier run
		e := settingsEvent(last, endpoint, at)
		m.log.logEvent(&e, sameMeter)
		m.record.mu.Lock()
		m.bridge.pass(m.record, &update{at: at, events: []Event{e}})
		m.record.mu.Unlock()
	}
	m.lastWorking = endpoint
	m.liveness.attempt.PauseEvidence(at.Add(2 * m.interval.learned()))
}

// Opened stores the endpoint that is read. It logs at level info that a port is opened for the first time, or again after a fault. It logs
// all other openings at level debug, such as those with the further line settings that are tried.
func (m *meterReader) Opened(a *probe.Attempt) error {
	level := m.liveness.noteOpened(a)
	m.log.WithLevel(m.log.routineLevel(level)).Fields(nonEmpty("source", a.Port, "line", a.Line)).Msg("port opened")
	return nil
}

// deliberateCloseLimit is a number of telegrams in a connection. A network reader that closes a connection after this many telegrams or fewer
// closes each connection on purpose, which is logged once. If it closes a connection after more telegrams, each such end is logged, at a limited
// rate.
const deliberateCloseLimit = 3

// Ended logs why a connection ended, unless no telegram came in time: then the cause is logged when the meter counts as silent. It never ends the
// search.
func (m *meterReader) Ended(e probe.ConnectionEnd) (goOn bool) {
	switch {
	case e.Err == nil: // no telegram came in time
		m.liveness.noteFinding(e.Finding)
	case errors.Is(e.Err, probe.ErrClosed) && e.Telegrams > deliberateCloseLimit:
		if count, ok := m.log.wireFaults.Allow(string(probe.ErrClosed)); ok {
			m.log.Info().Int("count", count).Msg("the other side closed the connection: it is opened again")
		}
	case errors.Is(e.Err, probe.ErrClosed):
		if m.log.isFirst("closes") {
			m.log.Info().Msg("the reader closes the connection after a telegram: it is opened again each time, and nothing is lost")
		}
	case e.Wait > 0:
		m.liveness.noteBroken(m.log.wireFaults.warn(m.log.Logger, "cannot read the meter, trying again", e.Err.Error(), e.Err, e.Wait))
		m.progress.Note("cannot be read: " + e.Err.Error())
	}
	return true
}
