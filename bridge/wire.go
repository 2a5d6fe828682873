package bridge

import (
	"errors"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// The methods in this file follow the search for the endpoint of a meter. They are called by Probe, see probe.Handler.

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
