package bridge

import (
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// voice is whether a meter speaks, and what has been counted of it. The silence timer and the pipeline share it.
type voice struct {
	mu sync.Mutex
	state
	handed About // as the feeds have it
	open   bool  // a wire is read
	sound  bool  // a telegram came whole, but of a kind that is not read
	timer  *time.Timer
	told   time.Time // when the state was last handed to the feeds
	beat   time.Time // when the log last said that all is well
}

// statsEvery is how often the counts are handed to the feeds: each change of one is a row in somebody's database.
const statsEvery = time.Minute

// countDamaged counts a telegram that was dropped, sound or not.
func (p *pipeline) countDamaged(sound bool) {
	v := &p.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stats.Errors++
	v.sound = v.sound || sound
	if time.Since(v.told) >= statsEvery {
		p.hand(nil, true)
	}
}

// listen starts to wait for the first telegram.
func (p *pipeline) listen() {
	v := &p.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	v.beat = time.Now()
	v.timer = time.AfterFunc(silentAfter*usualInterval, p.fallSilent)
}

// reads keeps which wire is read. The log says so until each candidate has had its turn; then it would repeat itself.
func (p *pipeline) reads(c Candidate) {
	p.voice.mu.Lock()
	defer p.voice.mu.Unlock()
	p.voice.open, p.voice.about.Port, p.voice.about.Line = true, c.Port, c.Line
	level := zerolog.InfoLevel
	if p.opened++; len(p.source.Candidates) > 1 && p.opened > len(p.source.Candidates) {
		level = zerolog.DebugLevel
	}
	p.log.WithLevel(level).Fields(told("source", c.Port, "line", c.Line)).Msg("port opened")
}

// readsNothing is for a wire that has been closed.
func (p *pipeline) readsNothing() {
	p.voice.mu.Lock()
	defer p.voice.mu.Unlock()
	p.voice.open = false
}

// speak counts a verified telegram, makes the meter online and hands the telegram's values to the feeds.
func (p *pipeline) speak(r *meter.Reading, now time.Time) {
	v := &p.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	v.about.describe(r)
	v.stats.Telegrams++
	v.stats.Last, v.stats.Interval = now, p.every.learned()
	v.timer.Reset(silentAfter * v.stats.Interval)
	tell := !v.online || v.about != v.handed || now.Sub(v.told) >= statsEvery
	if !v.online {
		v.online = true
		p.log.Info().Fields(told("family", r.Family, "list", v.about.List, "protocol", v.about.Protocol, "line", v.about.Line)).
			Msg("meter speaks")
	}
	p.hand(p.values, tell)
	if now.Sub(v.beat) >= heartbeat {
		v.beat = now
		p.log.Info().Uint64("telegrams", v.stats.Telegrams).Uint64("errors", v.stats.Errors).Msg("all is well")
	}
}

// hand gives values, and the state if it is to be told, to the feeds. The caller holds the lock.
func (p *pipeline) hand(values []Value, tell bool) {
	var st *state
	if tell {
		st = &p.voice.state
		p.voice.told, p.voice.handed = time.Now(), st.about
	}
	for _, f := range p.feeds {
		f.put(p.index, values, st)
	}
}

// rest hands over the last counts.
func (p *pipeline) rest() {
	p.voice.mu.Lock()
	defer p.voice.mu.Unlock()
	p.voice.timer.Stop()
	p.hand(nil, true)
}

// fallSilent makes the meter offline, and says in the log why that may be.
func (p *pipeline) fallSilent() {
	v := &p.voice
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.online && time.Since(v.stats.Last) < silentAfter*v.stats.Interval {
		return // it spoke while the timer ran out
	}
	v.online = false
	p.hand(nil, true)
	if !v.open || v.sound && v.stats.Telegrams == 0 {
		return // what is wrong has been told
	}
	log := p.log.With().Str("source", v.about.Port).Logger()
	switch {
	case v.stats.Telegrams > 0:
		log.Warn().Time("last", v.stats.Last).Msg("meter is silent")
	case p.bytes.Load() == 0:
		log.Warn().Msg("no bytes in 60 s at any setting tried: the port is most likely not activated. " + activation)
	default:
		log.Warn().Int64("bytes", p.bytes.Load()).Msg("bytes but no telegram: most likely another line setting, or an inverted " +
			"signal. A P1 port needs an inverting cable; an M-Bus port (RJ45) needs an M-Bus adapter")
	}
}

const activation = "Ask your grid company to activate the HAN port (it is free in Sweden); after an overload it switches " +
	"itself off and must be activated again"

func (p *pipeline) stats() Stats {
	p.voice.mu.Lock()
	defer p.voice.mu.Unlock()
	return p.voice.stats
}

// describe keeps what telegrams say of their meter. Not every telegram says it: what one leaves out stays, and a name that
// comes without a list does not replace one that came with it.
func (a *About) describe(r *meter.Reading) {
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

// told returns the fields of a log line that have a value, of pairs of name and value.
func told(pairs ...string) map[string]any {
	fields := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fields[pairs[i]] = pairs[i+1]
		}
	}
	return fields
}
