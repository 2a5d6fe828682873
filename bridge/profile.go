package bridge

import (
	"strings"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

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
