package bridge

import (
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// silenceAlarm makes the meter offline if no telegram has come in time. It logs the likely cause, at once and then every ten minutes while the
// silence lasts. The clock calls it.
func (m *meterReader) silenceAlarm(now time.Time) {
	m.record.mu.Lock()
	silent, due := m.liveness.checkSilence(now)
	findings, stats := slices.Clone(m.liveness.findings), m.record.Stats
	if silent {
		m.bridge.pass(m.record, &update{at: now})
	}
	isBroken := m.liveness.broken
	m.record.mu.Unlock()
	if silent && stats.Telegrams > 0 && !isBroken {
		m.progress.Note("silent since " + stats.LastTelegram.Format(time.DateTime))
	}
	if due {
		m.log.explainSilence(findings, &stats)
	}
}

// checkSilence makes the meter offline if it is silent, and sets the next alarm. Due is true if the likely cause must be logged. The caller holds
// the lock of the record.
func (l *liveness) checkSilence(now time.Time) (silent, due bool) {
	r := l.record
	switch {
	case l.stopped:
		return false, false
	case r.Online && now.Before(l.silentAt): // a telegram has arrived since the alarm was set
		l.alarm.set(l.silentAt)
		return false, false
	}
	r.Online = false
	l.alarm.set(now.Add(ratelimit.Period)) // the cause is logged again then
	if l.broken || !l.lastUnreadable.IsZero() && now.Sub(l.lastUnreadable) < minProvedTimeout {
		return true, false // the fault is logged already
	}
	l.findings = l.findings.With(l.attempt.Finding())
	if _, bytes := l.findings.Best(); bytes > 0 && !l.allTried {
		l.alarm.set(now.Add(probe.Dwell)) // the search has not tried all line settings yet, so the cause is not known
		return true, false
	}
	return true, l.silentLines.Allow(now, maxStateLines)
}

// explainSilence logs the likely cause of the silence.
func (l *meterLog) explainSilence(findings probe.Findings, stats *Stats) {
	best, bytes := findings.Best()
	log := l.Warn().Fields(nonEmpty("source", best.Port))
	network := strings.HasPrefix(best.Port, "tcp://")
	switch {
	case bytes == 0 && network && stats.Telegrams > 0:
		log.Time("last", stats.LastTelegram).Msg("the reader is connected and sends nothing: hanbridge connects again now and then. Is the reader's cable in the meter? " + activation)
	case bytes == 0 && network:
		log.Msg("connected, and no bytes in 60 s: is the reader's cable in the meter, and is this the reader's port for the meter's bytes? Many " +
			"readers serve one program at a time: stop other programs. If nothing helps, the meter's port is most likely not activated. " + activation)
	case bytes == 0 && stats.Telegrams > 0:
		log.Time("last", stats.LastTelegram).Msg("meter is silent: is its cable in both sockets? A HAN port switches itself off after an overload: " +
			"then ask your grid company to activate it again")
	case bytes == 0:
		log.Msg("no bytes in 60 s at any setting tried: the port is most likely not activated. " + activation)
	case network && best.Verdict.SuggestsOtherSetting():
		log.Int64("bytes", bytes).Msg("bytes but no telegram: most likely the reader is set to another line setting than the meter's. Set the reader's own " +
			"serial port to what the meter sends (P1 ports 115200 8N1, most M-Bus ports 2400 8E1)")
	default:
		log.Fields(nonEmpty("line", best.Line)).Int64("bytes", bytes).Uint64("errors", stats.Errors).Msg(findings.Advice(best.Verdict))
	}
}

// activation is the end of messages about a port without bytes.
const activation = "Ask your grid company to activate the HAN port (it is free in Sweden); after an overload it switches " +
	"itself off and must be activated again"
