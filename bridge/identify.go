package bridge

import (
	"cmp"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/identity"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// An identifier is the second step of the chain. It finds out which meter has sent a telegram: its make, model, serial number and list, and
// whether it is another meter than before.
type identifier struct {
	earlier     Description // of the meter in an earlier run; it is compared with the first telegram
	description Description
	started     bool // a telegram has come
	serials     identity.Serials
	profiles    identity.Profiles
}

// identified is what the step returns for one telegram.
type identified struct {
	description Description // Port and Line are those of an earlier run, or ""
	change      meterChange
	events      []Event // nil if nothing has changed
}

// A meterChange says whether a telegram shows that another meter is connected, and how.
type meterChange uint8

const (
	sameMeter           meterChange = iota
	otherMake                       // the form of the telegrams shows another make
	otherSerial                     // the serial number has changed
	otherSinceLastStart             // it is not the meter of the earlier run
)

// check identifies the meter of a verified telegram.
func (i *identifier) check(r *meter.Reading, received time.Time) (id identified) {
	if from, changed := i.profiles.Add(identity.Profile{Protocol: r.Protocol, Family: r.Family, Named: r.Meter.List != ""}); changed {
		to := i.profiles.Current()
		if from.Family != to.Family {
			id.change = otherMake
		}
		id.events = append(id.events, Event{Time: received, Name: ProfileChanged, From: from.String(), To: to.String()})
	}
	if !i.started && isOtherMeter(&i.earlier, &r.Meter) {
		id.change, i.serials = otherSinceLastStart, identity.Serials{}
		id.events = append(id.events, Event{Time: received, Name: MeterChanged, From: i.earlier.Serial, To: r.Meter.Serial})
	}
	i.started = true
	if old, replaced := i.serials.Update(r.Meter.Serial); replaced {
		id.change = otherSerial
		id.events = append(id.events, Event{Time: received, Name: MeterChanged, From: old, To: r.Meter.Serial})
	}
	if id.change != sameMeter {
		i.description = Description{}
	}
	if s := r.Meter.Serial; s == "" || s == i.serials.Current() { // otherwise the telegram is possibly of another meter
		i.description.update(r)
	}
	id.description = i.description
	return id
}

// restore continues with the meter of an earlier run. Serial is the number of the meter whose counters were stored; "" if there were none.
func (i *identifier) restore(d Description, serial string) {
	i.earlier, i.description = d, d
	i.serials.Restore(serial)
}

// isOtherMeter reports whether a telegram is not of the meter of the earlier run. Makes are compared only if both lists have a name or neither has
// one, because modules of other makes send lists without a name as Aidon does.
func isOtherMeter(earlier *Description, sent *meter.Meter) bool {
	differ := func(a, b string) bool { return a != "" && b != "" && a != b }
	makesComparable := (earlier.List != "") == (sent.List != "")
	return makesComparable && differ(earlier.Make, sent.Make) || differ(earlier.Serial, sent.Serial)
}

// update takes over what a telegram says about its meter. Fields that the telegram does not have stay as they are. A make from a list without
// a name does not replace the make from a list with a name.
func (d *Description) update(r *meter.Reading) {
	if d.Protocol != string(r.Protocol) {
		d.List = "" // the name belongs to the old profile
	}
	if r.Meter.List != "" || d.List == "" {
		d.Make = cmp.Or(r.Meter.Make, d.Make)
	}
	d.Model, d.Serial, d.List = cmp.Or(r.Meter.Model, d.Model), cmp.Or(r.Meter.Serial, d.Serial), cmp.Or(r.Meter.List, d.List)
	d.Protocol = string(r.Protocol)
}
