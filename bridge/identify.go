package bridge

import (
	"cmp"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// checkSameMeter checks at the first telegram whether the meter is the one of the earlier run. If it is another one, the stored counters are
// dropped. Makes are compared only if both lists have a name or neither has one, because modules of other makes send lists without a name as
// Aidon does.
func (p *pipeline) checkSameMeter(r *meter.Reading, now time.Time) {
	stored, sent := &p.stored.description, &r.Meter
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	makesComparable := (stored.List != "") == (sent.List != "")
	if (!makesComparable || !differ(stored.Make, sent.Make)) && !differ(stored.Serial, sent.Serial) {
		return
	}
	p.guard, p.storedCounters = guard.New(p.meter.Fuse), nil
	p.dropOldMeter(now)
	p.reportEvent("another meter is connected than before the start", Event{Time: now, Name: MeterChanged, From: stored.Serial, To: sent.Serial})
}

// updateProfile detects that the meter sends another profile, and reports an event.
func (p *pipeline) updateProfile(r *meter.Reading, now time.Time) {
	from, changed := p.profiles.add(profile{r.Protocol, r.Family, r.Meter.List != ""})
	if !changed {
		return
	}
	if from.family != p.profiles.current.family {
		p.dropOldMeter(now)
	}
	p.reportEvent("the format of the telegrams has changed", Event{Time: now, Name: ProfileChanged, From: from.String(), To: p.profiles.current.String()})
}

// dropOldMeter drops the description of a meter that was replaced. Quantities that only this meter has sent expire soon after now.
func (p *pipeline) dropOldMeter(now time.Time) {
	p.descriptors.meterChangedAt = now
	p.liveness.mu.Lock()
	defer p.liveness.mu.Unlock()
	p.liveness.description = Description{}
}

// describe updates the description from a telegram. Fields that the telegram does not have stay as they are. A make from a list without
// a name does not replace the make from a list with a name.
func (d *Description) describe(r *meter.Reading) {
	if d.Protocol != string(r.Protocol) {
		d.List = "" // the name belongs to the old profile
	}
	if r.Meter.List != "" || d.List == "" {
		d.Make = cmp.Or(r.Meter.Make, d.Make)
	}
	d.Model, d.Serial, d.List = cmp.Or(r.Meter.Model, d.Model), cmp.Or(r.Meter.Serial, d.Serial), cmp.Or(r.Meter.List, d.List)
	d.Protocol = string(r.Protocol)
}

// profile describes the form of a telegram. Telegrams of one meter have compatible profiles, whatever their list is.
type profile struct {
	protocol meter.Protocol
	family   string // "" if the telegrams do not show it
	named    bool   // the list has a name, which shows the family reliably; modules of other makes send lists without a name like those of Aidon
}

func (p profile) String() string { return strings.TrimSpace(p.family + " " + string(p.protocol)) }

// compatible reports whether one meter can send telegrams of both profiles. Short lists show no family, or that of another make.
func (p profile) compatible(q profile) bool {
	return p.protocol == q.protocol && (p.family == q.family || p.family == "" || q.family == "" || p.named != q.named)
}

// profiles detects that a meter sends another profile, for example after its grid company has changed its settings.
type profiles struct {
	current, other profile
	otherCount     int // how many telegrams in a row had the other profile
}

// minProfileCount is how many telegrams in a row must have another profile before the profile counts as changed. A single telegram possibly comes
// from another meter.
const minProfileCount = 3

// add adds the profile of the next telegram. If the profile of the meter has changed, changed is true, and from is the old profile.
func (w *profiles) add(p profile) (from profile, changed bool) {
	if w.current.protocol == "" || w.current.compatible(p) {
		if w.otherCount = 0; w.current.protocol == "" || p.family != "" && (p.named || !w.current.named) {
			w.current = p
		}
		return profile{}, false
	}
	if w.otherCount == 0 || !w.other.compatible(p) {
		w.other, w.otherCount = p, 0
	}
	if w.other.family == "" {
		w.other.family = p.family
	}
	if w.otherCount++; w.otherCount < minProfileCount {
		return profile{}, false
	}
	from, w.current, w.otherCount = w.current, w.other, 0
	return from, true
}
