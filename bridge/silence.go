package bridge

import (
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// meterSilent makes the meter offline. It logs the likely cause, at once and then every ten minutes while the silence lasts.
func (p *pipeline) meterSilent() {
	p.silenceProgress.Working()
	defer p.silenceProgress.Waiting()
	if findings, stats, due := p.setOffline(); due {
		p.explainSilence(findings, &stats)
	}
}

// setOffline makes the meter offline. Due is true if the likely cause must be logged; explainSilence then needs the findings and stats.
func (p *pipeline) setOffline() (findings probe.Findings, stats Stats, due bool) {
	l := &p.liveness
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped || l.online && time.Since(l.stats.LastTelegram) < silentIntervals*l.stats.Interval {
		return nil, stats, false // a telegram has arrived since the timer fired
	}
	if l.online || time.Since(l.reportedAt) >= p.plan.DiagnosticsInterval() {
		l.online = false
		p.putUpdate(update{}, true)
	}
	l.timer.Reset(ratelimit.Period) // the cause is logged again then
	if l.stats.Telegrams > 0 && !l.broken {
		p.progress.Note("silent since " + l.stats.LastTelegram.Format(time.DateTime))
	}
	if l.broken || !l.lastUnreadable.IsZero() && time.Since(l.lastUnreadable) < minProvedTimeout {
		return nil, stats, false // the fault is logged already
	}
	l.findings = l.findings.With(l.attempt.Finding())
	if _, bytes := l.findings.Best(); bytes > 0 && !l.allTried {
		l.timer.Reset(probe.Dwell) // the search has not tried all line settings yet, so the cause is not known
		return nil, stats, false
	}
	return slices.Clone(l.findings), l.stats, l.silentLines.Allow(time.Now(), maxStateLines)
}

// explainSilence logs the likely cause of the silence.
func (p *pipeline) explainSilence(findings probe.Findings, stats *Stats) {
	best, bytes := findings.Best()
	log := p.log.Warn().Fields(nonEmpty("source", best.Port))
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
