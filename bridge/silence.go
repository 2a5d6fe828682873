package bridge

import (
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// fallSilent makes the meter offline, and says in the log why that may be: once, and while it lasts every ten minutes.
func (p *pipeline) fallSilent() {
	p.silence.Working()
	defer p.silence.Waiting()
	line, message := p.offline()
	line.Msg(message)
}

// offline does the work of fallSilent. It returns the line of the log and its message; nil where none is due.
func (p *pipeline) offline() (line *zerolog.Event, message string) {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over || v.online && time.Since(v.stats.Last) < silentAfter*v.stats.Interval {
		return nil, "" // it spoke while the timer ran out
	}
	if v.online || time.Since(v.lastReported) >= p.plan.Diagnostics() {
		v.online = false
		p.hand(update{}, true)
	}
	v.timer.Reset(ratelimit.Every)
	if st := &v.stats; st.Telegrams > 0 && !v.broken {
		p.progress.Note("silent since " + st.Last.Format(time.DateTime))
	}
	if v.broken || !v.sound.IsZero() && time.Since(v.sound) < minTrust {
		return nil, "" // what is wrong has been told
	}
	v.found = v.found.With(v.attempt.Finding())
	best, bytes := v.found.Best()
	switch {
	case bytes > 0 && !v.whole:
		v.timer.Reset(probe.Dwell) // another setting may bring it back
	case v.silent.Allow(time.Now(), mostChanges):
		return p.explain(best, bytes)
	}
	return nil, ""
}

// explain says why a meter is silent. The caller holds the lock.
func (p *pipeline) explain(best probe.Finding, bytes int64) (line *zerolog.Event, message string) {
	st := &p.liveness.stats
	line = p.log.Warn().Fields(nonEmpty("source", best.Port))
	if bytes == 0 && st.Telegrams > 0 {
		line = line.Time("last", st.Last)
	} else if bytes > 0 {
		line = line.Int64("bytes", bytes)
	}
	network := strings.HasPrefix(best.Port, "tcp://")
	switch {
	case bytes == 0 && network && st.Telegrams > 0:
		return line, "the reader is connected and silent: it is dialled again now and then. Is its cable in the meter? " + activation
	case bytes == 0 && network:
		return line, "connected, and not a byte in 60 s: is the reader's cable in the meter, and is this its port for the meter's bytes? Many readers " +
			"serve one program at a time: stop the others. If all that is right, the meter's port is most likely not activated. " + activation
	case bytes == 0 && st.Telegrams > 0:
		return line, "meter is silent: is its cable in both sockets? A HAN port switches itself off after an overload: " +
			"then ask your grid company to activate it again"
	case bytes == 0:
		return line, "no bytes in 60 s at any setting tried: the port is most likely not activated. " + activation
	case network && best.Verdict.AboutSetting():
		return line, "bytes but no telegram: most likely the reader is set to another line setting than the meter's. Set the reader's own " +
			"serial port to what the meter sends (P1 ports 115200 8N1, most M-Bus ports 2400 8E1)"
	}
	return line.Fields(nonEmpty("line", best.Line)).Uint64("errors", st.Errors), p.liveness.found.Advice(best.Verdict)
}

const activation = "Ask your grid company to activate the HAN port (it is free in Sweden); after an overload it switches " +
	"itself off and must be activated again"
