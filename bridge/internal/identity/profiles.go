package identity

import (
	"strings"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A Profile describes the form of a telegram. Telegrams of one meter have compatible profiles, whatever their list is.
type Profile struct {
	Protocol meter.Protocol
	// Family is the make; "" if the telegrams do not show it.
	Family string
	// Named is true if the list has a name, which shows the family reliably. Modules of other makes send lists without a name like those of Aidon.
	Named bool
}

// String returns the family and the protocol, such as "aidon hdlc".
func (p Profile) String() string { return strings.TrimSpace(p.Family + " " + string(p.Protocol)) }

// compatible reports whether one meter can send telegrams of both profiles. Short lists show no family, or that of another make.
func (p Profile) compatible(q Profile) bool {
	return p.Protocol == q.Protocol && (p.Family == q.Family || p.Family == "" || q.Family == "" || p.Named != q.Named)
}

// Profiles detects that a meter sends another profile, for example after its grid company has changed its settings.
type Profiles struct {
	current, other Profile
	otherCount     int // how many telegrams in a row had the other profile
}

// minProfileCount is how many telegrams in a row must have another profile before the profile counts as changed. A single telegram possibly comes
// from another meter.
const minProfileCount = 3

// Add adds the profile of the next telegram. If the profile of the meter has changed, changed is true, and from is the old profile.
func (w *Profiles) Add(p Profile) (from Profile, changed bool) {
	if w.current.Protocol == "" || w.current.compatible(p) {
		if w.otherCount = 0; w.current.Protocol == "" || p.Family != "" && (p.Named || !w.current.Named) {
			w.current = p
		}
		return Profile{}, false
	}
	if w.otherCount == 0 || !w.other.compatible(p) {
		w.other, w.otherCount = p, 0
	}
	if w.other.Family == "" {
		w.other.Family = p.Family
	}
	if w.otherCount++; w.otherCount < minProfileCount {
		return Profile{}, false
	}
	from, w.current, w.otherCount = w.current, w.other, 0
	return from, true
}

// Current returns the profile of the meter.
func (w *Profiles) Current() Profile { return w.current }
