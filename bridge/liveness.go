package bridge

import (
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// liveness tracks whether a meter is online, and counts its telegrams. The silence timer and the pipeline share it. Nothing is logged while
// mu is held, since writing the log may block.
type liveness struct {
	mu sync.Mutex
	meterState
	reportedState  meterState     // the state that the feeds have
	reportedAt     time.Time      // when they got it
	attempt        *probe.Attempt // the last attempt to open an endpoint; only the pipeline replaces it
	broken         bool           // no port can be opened, and that was logged
	logRecovery    bool           // log the next port that is opened
	lastUnreadable time.Time      // when an intact telegram that gave no reading last came
	ports          []string       // ports that were opened and logged
	findings       probe.Findings
	allTried       bool // all endpoints were tried since the last telegram
	stopped        bool // the meter is no longer read
	timer          *time.Timer
	extraReports   ratelimit.Window // reports before their time
	onlineLines    ratelimit.Window // log lines that the meter is online
	silentLines    ratelimit.Window // log lines that it is silent
	heartbeat      time.Time        // when "all is well" was last logged
}

// maxStateLines is how often in ten minutes it is logged that a meter is online, and that it is silent. With a bad cable, both alternate.
const maxStateLines = 4

// startLiveness starts the timer for the first telegram.
func (p *pipeline) startLiveness() {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heartbeat = time.Now()
	v.timer = time.AfterFunc(silentIntervals*usualInterval, p.meterSilent)
}

// countDamaged counts a telegram that was dropped, intact or not.
func (p *pipeline) countDamaged(intact bool) {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Errors++
	if intact {
		v.lastUnreadable = time.Now()
	}
	if time.Since(v.reportedAt) >= p.plan.DiagnosticsInterval() {
		p.putUpdate(update{}, true)
	}
}

// Opened stores the endpoint that is read. It logs each port once, and the end of a fault. The line settings that are tried in between are
// logged at level debug.
func (p *pipeline) Opened(a *probe.Attempt) error {
	v, level := &p.liveness, zerolog.DebugLevel
	v.mu.Lock()
	if !slices.Contains(v.ports, a.Port) {
		v.ports = append(v.ports, a.Port)
		level = zerolog.InfoLevel
	}
	if (a.OnlyEndpoint || a.Proved) && v.logRecovery {
		level, v.logRecovery = zerolog.InfoLevel, false
	}
	if v.broken && !v.online {
		v.timer.Reset(silentIntervals * usualInterval) // a silent connection is another fault than a port that cannot be opened
	}
	v.broken, v.attempt = false, a
	v.allTried = a.OnlyEndpoint || a.FailedRounds > 0
	v.mu.Unlock()
	p.log.WithLevel(level).Fields(nonEmpty("source", a.Port, "line", a.Line)).Msg("port opened")
	return nil
}

// noteBroken stores that no port can be read. If that was logged, the end of the fault is logged too.
func (p *pipeline) noteBroken(logged bool) {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.broken, p.liveness.logRecovery = true, p.liveness.logRecovery || logged
}

// reportOnline counts a verified telegram, makes the meter online and puts the update into the feeds.
func (p *pipeline) reportOnline(r *meter.Reading, now time.Time) {
	p.progress.Note("")
	v := &p.liveness
	v.mu.Lock()
	wasOffline, level := !v.online, zerolog.InfoLevel
	if wasOffline && !v.onlineLines.Allow(now, maxStateLines) {
		level = zerolog.DebugLevel
	}
	p.count(r, now)
	about, st := v.description, v.stats
	due := now.Sub(v.heartbeat) >= time.Hour
	if due {
		v.heartbeat = now
	}
	v.mu.Unlock()
	if wasOffline {
		p.log.WithLevel(level).Fields(nonEmpty("family", r.Family, "list", about.List, "protocol", about.Protocol,
			"source", about.Port, "line", about.Line)).Msg("meter speaks")
	}
	if due {
		p.log.Info().Uint64("telegrams", st.Telegrams).Uint64("errors", st.Errors).Uint64("repeated", st.Repeated).Msg("all is well")
	}
}

// count does the part of reportOnline for which the caller holds the lock.
func (p *pipeline) count(r *meter.Reading, now time.Time) {
	v := &p.liveness
	if s := r.Meter.Serial; s == "" || s == p.guard.Serial() { // otherwise the telegram may be of another meter
		v.description.describe(r)
	}
	v.description.Port, v.description.Line = v.attempt.Port, v.attempt.Line
	v.findings = v.findings[:0]
	v.stats.Telegrams++
	if r.Repeated {
		v.stats.Repeated++
	}
	v.stats.LastTelegram, v.stats.Interval = now, p.interval.learned()
	v.timer.Reset(silentIntervals * v.stats.Interval)
	report := !v.online || v.reportDue(now, p.plan.DiagnosticsInterval())
	v.online = true
	p.putUpdate(p.update, report)
}

// reportDue reports whether the state is to be put into the feeds. It is so rarely because a hub stores each change of a count in its database,
// and sets up the device again after each change of the description.
func (v *liveness) reportDue(now time.Time, every time.Duration) bool {
	last := &v.reportedState
	learned := last.stats.Interval == usualInterval && v.stats.Interval != usualInterval
	changed := v.description != last.description || v.stats.Rejected != last.stats.Rejected
	return learned || now.Sub(v.reportedAt) >= every || changed && v.extraReports.Allow(now, 6)
}

// putUpdate puts an update into the feeds, together with the state if report is true. The caller holds the lock.
func (p *pipeline) putUpdate(u update, report bool) {
	if report {
		u.state = &p.liveness.meterState
		p.liveness.reportedAt, p.liveness.reportedState = time.Now(), p.liveness.meterState
	}
	for _, f := range p.feeds {
		f.put(p.index, u)
	}
}

// stop puts the last counts and the values that the throttle withheld into the feeds, and stores the counters. So the values that were
// published last are not above those with which the next run begins.
func (p *pipeline) stop() {
	p.collectWithheld()
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.timer.Stop()
	p.liveness.stopped = true
	p.putUpdate(p.update, true)
	if p.seq > 0 {
		p.stored.update(&p.liveness.description, nil, p.decoder.CurrentScaling(), true, false, p.guard)
	}
}

func (p *pipeline) stats() Stats {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	return p.liveness.stats
}

// nonEmpty returns the fields for a log line from pairs of name and value, without those whose value is "".
func nonEmpty(pairs ...string) map[string]any {
	fields := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields[pairs[i]] = pairs[i+1]
		}
	}
	return fields
}
