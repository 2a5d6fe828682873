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
// mu is held: a log may stall.
type liveness struct {
	mu sync.Mutex
	condition
	reported     condition      // as the feeds have it
	lastReported time.Time      // when they were given it
	attempt      *probe.Attempt // the endpoint that was opened last: the pipeline alone replaces it
	broken       bool           // no wire can be opened: the log has said so
	saidBroken   bool           // the log is to say when one can be opened again
	sound        time.Time      // when a telegram last came whole, but of a kind that is not read
	ports        []string       // that have been opened
	found        probe.Findings
	whole        bool // all endpoints have had their turn since the meter last spoke
	over         bool
	timer        *time.Timer
	urgent       ratelimit.Window // states that were told out of turn
	spoke        ratelimit.Window // log lines that the meter speaks
	silent       ratelimit.Window // log lines that it is silent
	heartbeat    time.Time        // when the log last said that all is well
}

// mostChanges is how often in ten minutes the log says that a meter speaks, and that it is silent: a bad cable has both by turns.
const mostChanges = 4

// listen starts to wait for the first telegram.
func (p *pipeline) listen() {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	v.heartbeat = time.Now()
	v.timer = time.AfterFunc(silentAfter*usualInterval, p.fallSilent)
}

// countDamaged counts a telegram that was dropped, sound or not.
func (p *pipeline) countDamaged(sound bool) {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Errors++
	if sound {
		v.sound = time.Now()
	}
	if time.Since(v.lastReported) >= p.plan.Diagnostics() {
		p.hand(update{}, true)
	}
}

// Opened keeps which wire is read. The log says so of each port once, and of one that a meter is known to speak on: the settings in
// between would fill it.
func (p *pipeline) Opened(a *probe.Attempt) error {
	v, level := &p.liveness, zerolog.DebugLevel
	v.mu.Lock()
	if !slices.Contains(v.ports, a.Port) {
		v.ports = append(v.ports, a.Port)
		level = zerolog.InfoLevel
	}
	if (a.OnlyEndpoint || a.Proved) && v.saidBroken {
		level, v.saidBroken = zerolog.InfoLevel, false
	}
	if v.broken && !v.online {
		v.timer.Reset(silentAfter * usualInterval) // connected and silent is another fault than broken
	}
	v.broken, v.attempt = false, a
	v.whole = a.OnlyEndpoint || a.FailedRounds > 0
	v.mu.Unlock()
	p.log.WithLevel(level).Fields(nonEmpty("source", a.Port, "line", a.Line)).Msg("port opened")
	return nil
}

// unread is for a wire that cannot be read. told tells that the log has just said so: then it says as well when it can be opened again.
func (p *pipeline) unread(told bool) {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.broken, p.liveness.saidBroken = true, p.liveness.saidBroken || told
}

// speak counts a verified telegram, makes the meter online and hands the telegram's values to the feeds.
func (p *pipeline) speak(r *meter.Reading, now time.Time) {
	p.progress.Note("")
	v := &p.liveness
	v.mu.Lock()
	spoke, level := !v.online, zerolog.InfoLevel
	if spoke && !v.spoke.Allow(now, mostChanges) {
		level = zerolog.DebugLevel
	}
	p.count(r, now)
	about, st := v.about, v.stats
	due := now.Sub(v.heartbeat) >= time.Hour
	if due {
		v.heartbeat = now
	}
	v.mu.Unlock()
	if spoke {
		p.log.WithLevel(level).Fields(nonEmpty("family", r.Family, "list", about.List, "protocol", about.Protocol,
			"source", about.Port, "line", about.Line)).Msg("meter speaks")
	}
	if due {
		p.log.Info().Uint64("telegrams", st.Telegrams).Uint64("errors", st.Errors).Uint64("repeated", st.Repeated).Msg("all is well")
	}
}

// count does the work of speak. The caller holds the lock.
func (p *pipeline) count(r *meter.Reading, now time.Time) {
	v := &p.liveness
	if s := r.Meter.Serial; s == "" || s == p.guard.Serial() { // else a stray telegram, or one of another meter on the wire
		v.about.describe(r)
	}
	v.about.Port, v.about.Line = v.attempt.Port, v.attempt.Line
	v.found = v.found[:0]
	v.stats.Telegrams++
	if r.Repeated {
		v.stats.Repeated++
	}
	v.stats.LastTelegram, v.stats.Interval = now, p.every.learned()
	v.timer.Reset(silentAfter * v.stats.Interval)
	tell := !v.online || v.worthTelling(now, p.plan.Diagnostics())
	v.online = true
	p.hand(p.update, tell)
}

// worthTelling tells if the feeds should hear of the state: each change of a count is a row in somebody's database, each of a
// description has hubs set the device up again.
func (v *liveness) worthTelling(now time.Time, every time.Duration) bool {
	h := &v.reported
	learned := h.stats.Interval == usualInterval && v.stats.Interval != usualInterval
	changed := v.about != h.about || v.stats.Rejected != h.stats.Rejected
	return learned || now.Sub(v.lastReported) >= every || changed && v.urgent.Allow(now, 6)
}

// hand gives what is new, and the state if it is to be told, to the feeds. The caller holds the lock.
func (p *pipeline) hand(u update, tell bool) {
	if tell {
		u.state = &p.liveness.condition
		p.liveness.lastReported, p.liveness.reported = time.Now(), p.liveness.condition
	}
	for _, f := range p.feeds {
		f.put(p.index, u)
	}
}

// finish hands over the last counts, and the values that the throttle withheld. The next run must not begin with less than that.
func (p *pipeline) finish() {
	p.pending()
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.timer.Stop()
	p.liveness.over = true
	p.hand(p.update, true)
	if p.seq > 0 {
		p.memory.note(&p.liveness.about, nil, p.decoder.CurrentScaling(), true, false, p.guard)
	}
}

func (p *pipeline) stats() Stats {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	return p.liveness.stats
}

// nonEmpty returns the fields of a log line that have a value, of pairs of name and value.
func nonEmpty(pairs ...string) map[string]any {
	fields := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields[pairs[i]] = pairs[i+1]
		}
	}
	return fields
}
