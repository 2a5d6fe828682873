package bridge

import (
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// liveness tracks whether a meter is online, and counts its telegrams. It listens to what the chain produced, to the search for the endpoint, and
// to the clock. It sets Description, Online and Stats of the record. The goroutines of the meter and of the clock share it, so the lock of the
// record guards all fields. Nothing is logged while that lock is held, since writing the log may block.
type liveness struct {
	record         *record
	alarm          *alarm         // at the time from which the meter counts as silent
	silentAt       time.Time      // this time, after a telegram
	attempt        *probe.Attempt // the last attempt to open an endpoint; only the goroutine of the meter replaces it
	broken         bool           // the meter cannot be read, because no port can be opened or read
	logRecovery    bool           // that fault was logged, so the next port that is opened is logged too
	lastUnreadable time.Time      // when the last intact telegram without a reading came
	ports          []string       // ports that were opened and logged
	findings       probe.Findings
	allTried       bool             // all endpoints were tried since the last telegram
	stopped        bool             // the meter is no longer read
	onlineLines    ratelimit.Window // log lines that the meter is online
	silentLines    ratelimit.Window // log lines that the meter is silent
	lastAllWell    time.Time        // when "all is well" was last logged
}

// maxStateLines is how many lines in ten minutes say that a meter is online, and how many say that it is silent. With a bad cable, a meter
// is online and silent by turns.
const maxStateLines = 4

// start begins to wait for the first telegram.
func (l *liveness) start(c *clock, call func(time.Time)) {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	now := time.Now()
	l.lastAllWell = now
	l.alarm = c.add(call)
	l.alarm.set(now.Add(silentIntervals * usualInterval))
}

// dueLines says which lines must be logged after a telegram.
type dueLines struct {
	online  bool // the meter was offline until now
	level   zerolog.Level
	allWell bool
}

// noteTelegram counts a verified telegram, and makes the meter online. The caller holds the lock of the record.
func (l *liveness) noteTelegram(r *meter.Reading, res *result, u *update) (lines dueLines) {
	lines = dueLines{online: !l.record.Online, level: zerolog.InfoLevel, allWell: u.at.Sub(l.lastAllWell) >= time.Hour}
	if lines.online && !l.onlineLines.Allow(u.at, maxStateLines) {
		lines.level = zerolog.DebugLevel
	}
	if lines.allWell {
		l.lastAllWell = u.at
	}
	l.count(r, res, u)
	l.findings = l.findings[:0]
	l.silentAt = time.Now().Add(silentIntervals * u.interval) // not from u.at, because the telegram was possibly held back
	l.alarm.set(l.silentAt)
	return lines
}

// count brings the record up to date with a verified telegram.
func (l *liveness) count(r *meter.Reading, res *result, u *update) {
	snapshot, stats := &l.record.Snapshot, &l.record.Stats
	snapshot.Online, snapshot.Description = true, res.identified.description
	snapshot.Description.Port, snapshot.Description.Line = l.attempt.Port, l.attempt.Line
	stats.Telegrams++
	if r.Repeated {
		stats.Repeated++
	}
	stats.LastTelegram, stats.Interval = u.at, u.interval
	for i := range res.guarded.Rejected {
		rejection := &res.guarded.Rejected[i]
		if rejection.Repeated { // values of a counter that are rejected in a row for the same reason count once
			continue
		}
		stats.Rejected++
		if rejection.Reason != guard.PartRejected { // the tariff was rejected in the same telegram, and its reason says more
			stats.RejectedReason = rejectedReason(rejection)
		}
	}
}

// noteDropped counts a telegram that gave no reading. The caller holds the lock of the record.
func (l *liveness) noteDropped(e *meter.TelegramError) {
	l.record.Stats.Errors++
	if e.Intact { // it arrived undamaged, but could not be decrypted or is of an unknown kind
		l.lastUnreadable = e.Received
	}
}

// noteOpened stores the endpoint that is read, and returns the level at which that is logged.
func (l *liveness) noteOpened(a *probe.Attempt) zerolog.Level {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	level := zerolog.DebugLevel
	if !slices.Contains(l.ports, a.Port) {
		l.ports = append(l.ports, a.Port)
		level = zerolog.InfoLevel
	}
	if (a.OnlyEndpoint || a.Proved) && l.logRecovery {
		level, l.logRecovery = zerolog.InfoLevel, false
	}
	if l.broken && !l.record.Online {
		// From now on the fault would be a silent connection, and no longer a port that cannot be opened.
		l.alarm.set(time.Now().Add(silentIntervals * usualInterval))
	}
	l.broken, l.attempt = false, a
	l.allTried = a.OnlyEndpoint || a.FailedRounds > 0
	return level
}

// noteFinding stores what has arrived from an endpoint that gave no telegram in time.
func (l *liveness) noteFinding(f probe.Finding) {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	l.findings = l.findings.With(f)
}

// noteBroken stores that the meter cannot be read. Logged is true if that was logged. If it was, the end of the fault is logged too.
func (l *liveness) noteBroken(logged bool) {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	l.broken, l.logRecovery = true, l.logRecovery || logged
}

// stop ends the tracking. The caller holds the lock of the record.
func (l *liveness) stop() {
	l.alarm.remove()
	l.stopped = true
}

// stats returns the counts of the meter.
func (l *liveness) stats() Stats {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	return l.record.Stats
}
