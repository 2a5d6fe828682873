package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// Remember keeps in a folder what must survive a restart: the last good value of each counter, what has been announced,
// where a meter was found. Where that cannot be, the log says so once, and it is tried again while the bridge runs. Call it before Run.
func (b *Bridge) Remember(dir string) {
	store, err := state.Open(dir)
	if err != nil {
		b.log.Warn().Err(err).Msg("nothing is remembered over a restart: counters are not compared with their last values, and hourly ones are missing until they come")
	}
	switch file, cause := store.Aside(); {
	case file != "":
		b.log.Warn().Err(cause).Str("source", file).Msg("state file was damaged: it is set aside, and a new one is begun")
	case cause != nil:
		b.log.Warn().Err(cause).Msg("the end of the state file was damaged: what was kept just before is used")
	}
	store.OnTrouble(b.stateTrouble, b.stateBegunAgain)
	b.store, b.instance = store, newInstance(store)
}

// stateTrouble tells that the state cannot be written, or with nil that it can be again.
func (b *Bridge) stateTrouble(err error) {
	if err == nil {
		b.log.Info().Msg("state is written again")
		return
	}
	b.log.Warn().Err(err).Msg("state cannot be written: trying again")
}

// stateBegunAgain tells what has happened to the state file while it was in use, and where a damaged one lies, "" for none.
func (b *Bridge) stateBegunAgain(cause error, aside string) {
	event := b.log.Warn().Err(cause)
	if aside != "" {
		event = event.Str("source", aside)
	}
	event.Msg("somebody has changed the state file while it was in use: it is begun again, and nothing is lost")
}

// remember begins with what an earlier run knew of the meter. Nothing of it is published before its first verified telegram.
func (p *pipeline) remember(now time.Time) {
	m := p.memory
	if m.about.Protocol == "" {
		return
	}
	p.voice.about = m.about
	p.search.worked, p.search.last = probe.Endpoint{Port: m.about.Port, Line: m.about.Line}, now // whatever silence there is begins here
	p.decoder.SetScaling(m.scaling)
	p.guard.Restore(&m.counters)
	p.reminder = m.last()
	often := longestStay
	for _, k := range m.known {
		p.known.remember(k)
		often = min(often, k.Every)
	}
	if len(m.known) > 0 && often > cadences[0] {
		p.every.before = often
	}
	p.hand(handover{known: p.known.taken()}, true)
}
