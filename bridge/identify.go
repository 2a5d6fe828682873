package bridge

import (
	"cmp"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// compare looks, at the first telegram, if it is the meter that an earlier run knew: the counters of another say nothing.
func (p *pipeline) compare(r *meter.Reading, now time.Time) {
	known, is := &p.memory.about, &r.Meter
	other := func(a, b string) bool { return a != "" && b != "" && a != b }
	named := (known.List != "") == (is.List != "") // modules of other makes send short lists as Aidon does
	if (!named || !other(known.Make, is.Make)) && !other(known.Serial, is.Serial) {
		return
	}
	p.guard, p.reminder = guard.New(p.meter.Fuse), nil
	p.forget(now)
	p.changed("another meter speaks here than before the start", Event{Time: now, Name: MeterChanged, From: known.Serial, To: is.Serial})
}

// follow notices a meter that speaks another profile.
func (p *pipeline) follow(r *meter.Reading, now time.Time) {
	from, changed := p.profiles.add(profile{r.Protocol, r.Family, r.Meter.List != ""})
	if !changed {
		return
	}
	if from.family != p.profiles.now.family {
		p.forget(now)
	}
	p.changed("the meter speaks another profile", Event{Time: now, Name: ProfileChanged, From: from.String(), To: p.profiles.now.String()})
}

// forget drops what was known of the meter: it is another one.
func (p *pipeline) forget(now time.Time) {
	p.descriptors.swapped = now
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.about = Description{}
}

// describe keeps what telegrams say of their meter. Not every telegram says it: what one leaves out stays, and a name that
// comes without a list does not replace one that came with it.
func (a *Description) describe(r *meter.Reading) {
	if a.Protocol != string(r.Protocol) {
		a.List = "" // it was another profile's
	}
	if r.Meter.List != "" || a.List == "" {
		a.Make = cmp.Or(r.Meter.Make, a.Make)
	}
	a.Model, a.Serial, a.List = cmp.Or(r.Meter.Model, a.Model), cmp.Or(r.Meter.Serial, a.Serial), cmp.Or(r.Meter.List, a.List)
	a.Protocol = string(r.Protocol)
}

// profile is what all telegrams of a meter have in common, whatever list they carry.
type profile struct {
	protocol meter.Protocol
	family   string // "" where the telegram does not tell
	named    bool   // it has a list whose name tells the family: the modules of other makes send short lists as Aidon does
}

func (p profile) String() string { return strings.TrimSpace(p.family + " " + string(p.protocol)) }

// fits tells if telegrams of both may come from one meter: short lists do not name their make.
func (p profile) fits(q profile) bool {
	return p.protocol == q.protocol && (p.family == q.family || p.family == "" || q.family == "" || p.named != q.named)
}

// profiles notices when a meter speaks another profile, as after a night in which its owner changed it.
type profiles struct {
	now, other profile
	seen       int // telegrams of the other in a row
}

// sure is how many telegrams in a row tell that a profile has changed: a stray one is no change.
const sure = 3

// add looks at the next telegram's profile, and returns the old one when the meter has changed.
func (w *profiles) add(p profile) (from profile, changed bool) {
	if w.now.protocol == "" || w.now.fits(p) {
		if w.seen = 0; w.now.protocol == "" || p.family != "" && (p.named || !w.now.named) {
			w.now = p
		}
		return profile{}, false
	}
	if w.seen == 0 || !w.other.fits(p) {
		w.other, w.seen = p, 0
	}
	if w.other.family == "" {
		w.other.family = p.family
	}
	if w.seen++; w.seen < sure {
		return profile{}, false
	}
	from, w.now, w.seen = w.now, w.other, 0
	return from, true
}
