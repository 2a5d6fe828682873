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

// liveness tracks whether a meter is online, and counts its telegrams. The silence timer and the pipeline share it.
type liveness struct {
	mu sync.Mutex
	condition
	reported condition      // as the feeds have it
	attempt  *probe.Attempt // the endpoint that was opened last: the pipeline alone replaces it
	broken   bool           // no wire can be opened: the log has said so
	// saidBroken tells that the log is to say when one can be opened again.
	saidBroken    bool
	sound         time.Time // when a telegram last came whole, but of a kind that is not read
	ports         []string  // that have been opened
	found         probe.Findings
	whole         bool // all endpoints have had their turn since the meter last spoke
	anew          bool // the wire was opened again: the next telegram is published whole
	over          bool
	timer         *time.Timer
	lastReported  time.Time        // when the condition was last given to the feeds
	reopens       ratelimit.Window // limits how often a reopened wire sets anew: a network reader may close each connection
	urgent        ratelimit.Window // states that were told out of turn
	spoke         ratelimit.Window // log lines that the meter speaks
	silent        ratelimit.Window // log lines that it is silent
	lastHeartbeat time.Time        // when the log last said that all is well
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
		p.hand(handover{}, true)
	}
}

// listen starts to wait for the first telegram.
func (p *pipeline) listen() {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lastHeartbeat = time.Now()
	v.timer = time.AfterFunc(silentAfter*usualInterval, p.fallSilent)
}

// reads keeps which wire is read. The log says so of each port once, and of one that a meter is known to speak on: the
// settings in between would fill it.
func (p *pipeline) reads(a *probe.Attempt) {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	level, now := zerolog.DebugLevel, time.Now()
	if !slices.Contains(v.ports, a.Port) {
		v.ports = append(v.ports, a.Port)
		level = zerolog.InfoLevel
	}
	if (a.Alone || a.Proved) && v.saidBroken {
		level, v.saidBroken = zerolog.InfoLevel, false
	}
	if v.broken && !v.online {
		v.timer.Reset(silentAfter * usualInterval) // connected and silent is another fault than broken
	}
	v.anew = v.reopens.Allow(now, 3) || v.anew
	v.broken, v.attempt = false, a
	v.whole = a.Alone || a.Rounds > 0
	p.log.WithLevel(level).Fields(nonEmpty("source", a.Port, "line", a.Line)).Msg("port opened")
}

// mostChanges is how often in ten minutes the log says that a meter speaks, and that it is silent: a bad cable has both by turns.
const mostChanges = 4

// speak counts a verified telegram, makes the meter online and hands the telegram's values to the feeds.
func (p *pipeline) speak(r *meter.Reading, now time.Time) {
	v := &p.liveness
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := r.Meter.Serial; s == "" || s == p.guard.Serial() { // else a stray telegram, or one of another meter on the wire
		v.about.describe(r)
	}
	v.about.Port, v.about.Line = v.attempt.Port, v.attempt.Line
	v.found = v.found[:0]
	v.stats.Telegrams++
	if r.Repeated {
		v.stats.Repeated++
	}
	v.stats.Last, v.stats.Interval = now, p.every.learned()
	v.timer.Reset(silentAfter * v.stats.Interval)
	tell := !v.online || v.worthTelling(now, p.plan.Diagnostics())
	p.progress.Note("")
	if !v.online {
		v.online = true
		level := zerolog.InfoLevel
		if !v.spoke.Allow(now, mostChanges) {
			level = zerolog.DebugLevel
		}
		p.log.WithLevel(level).Fields(nonEmpty("family", r.Family, "list", v.about.List, "protocol", v.about.Protocol,
			"source", v.about.Port, "line", v.about.Line)).Msg("meter speaks")
	}
	p.hand(p.news, tell)
	if now.Sub(v.lastHeartbeat) >= heartbeat {
		v.lastHeartbeat = now
		p.allIsWell(&v.stats)
	}
}

// startsAnew tells, once, if all values of a telegram are to be published.
func (p *pipeline) startsAnew() bool {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	anew := p.liveness.anew
	p.liveness.anew = false
	for _, f := range p.feeds {
		anew = f.wantsWhole(p.index) || anew
	}
	return anew
}

// stranger forgets what was known of the meter: it is another one.
func (p *pipeline) stranger(now time.Time) {
	p.known.swapped = now
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.about = About{}
}

// worthTelling tells if the feeds should hear of the state: each change of a count is a row in somebody's database, each of a
// description has hubs set the device up again.
func (v *liveness) worthTelling(now time.Time, every time.Duration) bool {
	const most = 6
	h := &v.reported
	if now.Sub(v.lastReported) >= every || v.stats.Interval != h.stats.Interval && h.stats.Interval == usualInterval {
		return true
	}
	return (v.about != h.about || v.stats.Rejected != h.stats.Rejected) && v.urgent.Allow(now, most)
}

// allIsWell is the line of each hour.
func (p *pipeline) allIsWell(st *Stats) {
	told := p.log.Info().Uint64("telegrams", st.Telegrams).Uint64("errors", st.Errors)
	if st.Repeated > 0 {
		told = told.Uint64("repeated", st.Repeated)
	}
	told.Msg("all is well")
}

// hand gives what is new, and the state if it is to be told, to the feeds. The caller holds the lock.
func (p *pipeline) hand(news handover, tell bool) {
	if tell {
		news.state = &p.liveness.condition
		p.liveness.lastReported, p.liveness.reported = time.Now(), p.liveness.condition
	}
	for _, f := range p.feeds {
		f.put(p.index, news)
	}
}

// rest hands over the last counts, and the values that the throttle withheld. The next run must not begin with less than that.
func (p *pipeline) rest() {
	p.pending()
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.timer.Stop()
	p.liveness.over = true
	p.hand(p.news, true)
	if p.seq > 0 {
		p.memory.note(&p.liveness.about, nil, p.decoder.Scaling(), frequentCounter, p.guard)
	}
}

func (p *pipeline) stats() Stats {
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	return p.liveness.stats
}

// describe keeps what telegrams say of their meter. Not every telegram says it: what one leaves out stays, and a name that
// comes without a list does not replace one that came with it.
func (a *About) describe(r *meter.Reading) {
	if a.Protocol != string(r.Protocol) {
		a.List = "" // it was another profile's
	}
	if r.Meter.List != "" || a.List == "" {
		replace(&a.Make, r.Meter.Make)
	}
	replace(&a.Model, r.Meter.Model)
	replace(&a.Serial, r.Meter.Serial)
	replace(&a.List, r.Meter.List)
	a.Protocol = string(r.Protocol)
}

func replace(old *string, text string) {
	if text != "" {
		*old = text
	}
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
