package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/state"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// Remember keeps in a folder what must survive a restart: the last good value of each counter, what has been announced, where a meter was
// found, which runs there were. Where that cannot be, the log says so once, and it is tried again while the bridge runs. Call it before Run.
func (b *Bridge) Remember(dir string) {
	b.store = state.Open(dir, b.log)
	b.instance = newInstance(b.store)
}

// remember begins with what an earlier run knew of the meter. Nothing of it is published before its first verified telegram.
func (p *pipeline) remember(now time.Time) {
	m := p.memory
	if m.about.Protocol == "" {
		return
	}
	p.liveness.about = m.about
	p.worked = probe.Endpoint{Port: m.about.Port, Line: m.about.Line}
	p.decoder.SetScaling(m.scaling)
	p.guard.Restore(&m.counters)
	p.reminder = m.last()
	often := probe.LongestInterval
	for _, k := range m.known {
		p.known.remember(k)
		often = min(often, k.Every)
	}
	if len(m.known) > 0 && often > cadences[0] {
		p.every.before = often
	}
	p.hand(handover{known: p.known.taken()}, true)
}
