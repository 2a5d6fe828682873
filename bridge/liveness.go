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
	reportedAt     time.Time      // when the feeds got reportedState
	attempt        *probe.Attempt // the last attempt to open an endpoint; only the pipeline replaces it
	broken         bool           // the meter cannot be read, because no port can be opened or read
	logRecovery    bool           // that fault was logged, so the next port that is opened is logged too
	lastUnreadable time.Time      // when the last intact telegram without a reading came
	ports          []string       // ports that were opened and logged
	findings       probe.Findings
	allTried       bool // all endpoints were tried since the last telegram
	stopped        bool // the meter is no longer read
	timer          *time.Timer
	extraReports   ratelimit.Window // reports less than DiagnosticsInterval after the last report
	onlineLines    ratelimit.Window // log lines that the meter is online
	silentLines    ratelimit.Window // log lines that the meter is silent
	lastAllWell    time.Time        // when "all is well" was last logged
}

const (
	// maxStateLines is how many lines in ten minutes say that a meter is online, and how many say that it is silent. With a bad cable, a meter
	// is online and silent by turns.
	maxStateLines = 4
	// maxExtraReports is how many extraReports are allowed in ten minutes.
	maxExtraReports = 6
)

// startLiveness starts the timer for the first telegram.
func (p *pipeline) startLiveness() {
	l := &p.liveness
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastAllWell = time.Now()
	l.timer = time.AfterFunc(silentIntervals*usualInterval, p.meterSilent)
}

// countDropped counts a telegram that was dropped. Intact is true if it arrived undamaged, but could not be decrypted or is of an unknown kind.
func (p *pipeline) countDropped(intact bool) {
	l := &p.liveness
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Errors++
	if intact {
		l.lastUnreadable = time.Now()
	}
	if time.Since(l.reportedAt) >= p.plan.DiagnosticsInterval() {
		p.putUpdate(update{}, true)
	}
}

// Opened stores the endpoint that is read. It logs at level info that a port is opened for the first time, or again after a fault. It logs
// all other openings at level debug, such as those with the further line settings that are tried.
func (p *pipeline) Opened(a *probe.Attempt) error {
	l, level := &p.liveness, zerolog.DebugLevel
	l.mu.Lock()
	if !slices.Contains(l.ports, a.Port) {
		l.ports = append(l.ports, a.Port)
		level = zerolog.InfoLevel
	}
	if (a.OnlyEndpoint || a.Proved) && l.logRecovery {
		level, l.logRecovery = zerolog.InfoLevel, false
	}
	if l.broken && !l.online {
		l.timer.Reset(silentIntervals * usualInterval) // from now on the fault would be a silent connection, and no longer a port that cannot be opened
	}
	l.broken, l.attempt = false, a
	l.allTried = a.OnlyEndpoint || a.FailedRounds > 0
	l.mu.Unlock()
	p.log.WithLevel(level).Fields(nonEmpty("source", a.Port, "line", a.Line)).Msg("port opened")
	return nil
}

// noteBroken stores that the meter cannot be read. Logged is true if that was logged. If it was, the end of the fault is logged too.
func (p *pipeline) noteBroken(logged bool) {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.broken, p.liveness.logRecovery = true, p.liveness.logRecovery || logged
}

// reportOnline counts a verified telegram, makes the meter online and puts the update into the feeds.
func (p *pipeline) reportOnline(r *meter.Reading, now time.Time) {
	p.progress.Note("")
	l := &p.liveness
	l.mu.Lock()
	wasOffline, level := !l.online, zerolog.InfoLevel
	if wasOffline && !l.onlineLines.Allow(now, maxStateLines) {
		level = zerolog.DebugLevel
	}
	p.count(r, now)
	description, stats := l.description, l.stats
	allWellDue := now.Sub(l.lastAllWell) >= time.Hour
	if allWellDue {
		l.lastAllWell = now
	}
	l.mu.Unlock()
	if wasOffline {
		p.log.WithLevel(level).Fields(nonEmpty("family", r.Family, "list", description.List, "protocol", description.Protocol,
			"source", description.Port, "line", description.Line)).Msg("meter sends telegrams")
	}
	if allWellDue {
		p.log.Info().Uint64("telegrams", stats.Telegrams).Uint64("errors", stats.Errors).Uint64("repeated", stats.Repeated).Msg("all is well")
	}
}

// count does the part of reportOnline that needs liveness.mu. The caller holds this lock.
func (p *pipeline) count(r *meter.Reading, now time.Time) {
	l := &p.liveness
	if s := r.Meter.Serial; s == "" || s == p.guard.Serial() { // otherwise the telegram may be of another meter
		l.description.describe(r)
	}
	l.description.Port, l.description.Line = l.attempt.Port, l.attempt.Line
	l.findings = l.findings[:0]
	l.stats.Telegrams++
	if r.Repeated {
		l.stats.Repeated++
	}
	l.stats.LastTelegram, l.stats.Interval = now, p.interval.learned()
	l.timer.Reset(silentIntervals * l.stats.Interval)
	report := !l.online || l.reportDue(now, p.plan.DiagnosticsInterval())
	l.online = true
	p.putUpdate(p.update, report)
}

// reportDue reports whether the state must be put into the feeds. Reports are rare, because a hub stores each change of a count in its database
// and sets up the device again after each change of the description.
func (l *liveness) reportDue(now time.Time, every time.Duration) bool {
	reported := &l.reportedState
	intervalLearned := reported.stats.Interval == usualInterval && l.stats.Interval != usualInterval
	changed := l.description != reported.description || l.stats.Rejected != reported.stats.Rejected
	return intervalLearned || now.Sub(l.reportedAt) >= every || changed && l.extraReports.Allow(now, maxExtraReports)
}

// putUpdate puts an update into the feeds, together with the state of the meter if report is true. The caller holds liveness.mu.
func (p *pipeline) putUpdate(u update, report bool) {
	if report {
		u.state = &p.liveness.meterState
		p.liveness.reportedAt, p.liveness.reportedState = time.Now(), p.liveness.meterState
	}
	for _, f := range p.feeds {
		f.put(p.index, u)
	}
}

// stop puts the last counts and the values that the throttle withheld into the feeds. It also stores the counters, so that the next run does not
// begin with values below the last published ones.
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
