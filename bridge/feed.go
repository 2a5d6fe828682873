package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A feed holds what one output has not taken of one meter. It belongs to a Subscription, which locks it.
type feed struct {
	record      *record
	isDue       bool               // it is in Subscription.due
	changed     bool               // there is an update besides events
	update      MeterUpdate        // its Values are unused
	throttle    *throttle.Throttle // nil if the output receives no values
	values      []feedValue        // in the order of the table
	reportEvery time.Duration      // how often the state of the meter is reported to the output, see throttle.Plan.DiagnosticsInterval
	reportedAt  time.Time          // when it was last reported
	extra       ratelimit.Window   // reports less than reportEvery after the last report
	events      []feedEvent
	storeDue    bool // counters were published since the last telegram, and the state file possibly has older ones
}

// A feedValue is the newest value of a quantity that the throttle has let pass.
type feedValue struct {
	Value
	fresh bool // the output has not taken it
}

// A feedEvent is an event that the output has not delivered.
type feedEvent struct {
	Event
	taken uint64 // the number of the batch in which it was taken; 0 if it was not taken
}

const (
	// maxEvents is how many events of a meter wait for one output. If there are more, the oldest are dropped. Events are rare, so this happens only
	// if an output has delivered nothing for a long time.
	maxEvents = 16
	// maxExtraReports is how many extra reports are allowed in ten minutes.
	maxExtraReports = 6
)

// newFeed returns the feed of a meter. The output gets all that is known of the meter.
func newFeed(r *record, plan *throttle.Plan) *feed {
	f := &feed{record: r, changed: true, reportEvery: time.Minute}
	f.update = MeterUpdate{Meter: r.Meter, OnlineNew: true, Descriptors: r.Descriptors, DescriptorsNew: r.Descriptors != nil}
	if plan != nil {
		f.throttle, f.reportEvery = throttle.New(plan), plan.DiagnosticsInterval()
	}
	if r.Description != (Description{}) {
		f.report(time.Now())
	}
	return f
}

// apply stores what an update means for this output. Due is true if the output must take something. Counters are those that it publishes.
func (f *feed) apply(u *update) (due bool, counters publishedCounters) {
	if f.throttle != nil {
		due, counters = f.applyValues(u)
	}
	if u.descriptors != nil {
		f.update.Descriptors, f.update.DescriptorsNew, due = u.descriptors, true, true
	}
	if f.reportDue(u) {
		f.report(u.at)
		due = true
	}
	f.changed = f.changed || due
	for _, e := range u.events {
		if len(f.events) == maxEvents {
			f.events = slices.Delete(f.events, 0, 1)
		}
		e.Meter = f.record.Meter.ID
		f.events = append(f.events, feedEvent{Event: e})
	}
	return due || len(u.events) > 0, counters
}

// applyValues lets the throttle decide about each value of an update. Published is true if a value is published.
func (f *feed) applyValues(u *update) (published bool, counters publishedCounters) {
	for _, id := range u.forgotten {
		f.throttle.Forget(id)
	}
	if u.telegram != nil {
		for i := range u.telegram.Values {
			v := &u.telegram.Values[i]
			switch f.decide(v, u) {
			case throttle.Publish:
				f.setFresh(v)
				f.noteCounter(v.ID, &counters)
				published = true
			case throttle.Repeat:
				published = f.repeat(v.ID) || published
			case throttle.Withhold:
			}
		}
	}
	if f.storeDue && u.telegram != nil {
		f.storeDue, counters.any = false, true
	}
	for i := range u.earlier {
		f.setFresh(&u.earlier[i])
		published = true
	}
	if len(u.expired) > 0 {
		f.values = slices.DeleteFunc(f.values, func(v feedValue) bool { return slices.Contains(u.expired, v.ID) })
	}
	if u.final {
		published = f.publishWithheld() || published
	}
	return published, counters
}

// noteCounter records in counters that a quantity is published, if it is a counter.
func (f *feed) noteCounter(id quantity.ID, counters *publishedCounters) {
	if id.Row().StateClass != quantity.TotalIncreasing {
		return
	}
	counters.any = true
	i, found := slices.BinarySearchFunc(f.record.Descriptors, id, func(d Descriptor, id quantity.ID) int { return int(d.ID) - int(id) })
	counters.rare = counters.rare || found && f.record.Descriptors[i].Every > minRoundedInterval
}

// decide returns what to do with a value of a telegram.
func (f *feed) decide(v *Value, u *update) throttle.Decision {
	if u.telegram.Recorded {
		return throttle.Publish
	}
	return f.throttle.Decide(u.at, u.interval, v.ID, v.Number, v.Decimals, v.Text)
}

// find returns the index of a quantity in values, and whether there is a value.
func (f *feed) find(id quantity.ID) (int, bool) {
	return slices.BinarySearchFunc(f.values, id, func(v feedValue, id quantity.ID) int { return int(v.ID) - int(id) })
}

// setFresh sets a value that the output must take.
func (f *feed) setFresh(v *Value) {
	i, found := f.find(v.ID)
	if !found {
		f.values = slices.Insert(f.values, i, feedValue{})
	}
	f.values[i] = feedValue{*v, true}
}

// repeat makes the output take the last published value again, and reports whether there is one.
func (f *feed) repeat(id quantity.ID) bool {
	i, found := f.find(id)
	if found {
		f.values[i].fresh = true
	}
	return found
}

// publishWithheld makes the output take the newest values that the throttle has withheld, and reports whether there are any.
func (f *feed) publishWithheld() (published bool) {
	for i := range f.record.Values {
		if v := &f.record.Values[i]; f.throttle.Withheld(v.ID) {
			f.setFresh(v)
			published = true
		}
	}
	return published
}

// reportDue reports whether the state of the meter must be reported to the output. Reports are rare, because a hub stores each change of a count in
// its database and sets up the device again after each change of the description.
func (f *feed) reportDue(u *update) bool {
	r, last := &f.record.Snapshot, &f.update
	if u.final || r.Online != last.Online || u.at.Sub(f.reportedAt) >= f.reportEvery {
		return true
	}
	intervalLearned := last.Stats.Interval == usualInterval && r.Stats.Interval != usualInterval
	changed := r.Description != last.Description || r.Stats.Rejected != last.Stats.Rejected
	return intervalLearned || changed && f.extra.Allow(u.at, maxExtraReports)
}

// report makes the output take the state of the meter.
func (f *feed) report(at time.Time) {
	r, u := &f.record.Snapshot, &f.update
	u.OnlineNew = u.OnlineNew || u.Online != r.Online
	u.DescriptionNew = u.DescriptionNew || u.Description != r.Description
	u.Description, u.Online, u.Stats, u.StatsNew = r.Description, r.Online, r.Stats, true
	f.reportedAt, f.changed = at, true
}

// take moves the update to n, and reuses the slice of n.
func (f *feed) take(n *MeterUpdate) {
	values := n.Values[:0]
	for i := range f.values {
		if f.values[i].fresh {
			values = append(values, f.values[i].Value)
			f.values[i].fresh = false
		}
	}
	*n = f.update
	n.Values, f.changed = values, false
	u := &f.update
	u.DescriptionNew, u.OnlineNew, u.DescriptorsNew, u.StatsNew = false, false, false, false
}

// takeEvents appends the events that were not taken to a batch, and reports whether there are any.
func (f *feed) takeEvents(b *Batch) (found bool) {
	for i := range f.events {
		if e := &f.events[i]; e.taken == 0 {
			e.taken, found = b.Number, true
			b.Events = append(b.Events, e.Event)
		}
	}
	return found
}

// rewindEvents makes the output take the events again that were not delivered.
func (f *feed) rewindEvents() {
	for i := range f.events {
		f.events[i].taken = 0
	}
}

// dropEvents drops the events that were delivered with the batch of this number or before. It reports whether other events were taken.
func (f *feed) dropEvents(number uint64) (othersTaken bool) {
	f.events = slices.DeleteFunc(f.events, func(e feedEvent) bool { return e.taken > 0 && e.taken <= number })
	return slices.ContainsFunc(f.events, func(e feedEvent) bool { return e.taken > 0 })
}

// resync makes the output take everything again. The caller holds the lock of the record.
func (f *feed) resync() {
	if f.throttle != nil {
		for i := range f.record.Values {
			f.setFresh(&f.record.Values[i])
		}
		f.throttle.PublishNewest()
		f.storeDue = true
	}
	u := &f.update
	u.DescriptionNew, u.OnlineNew, u.DescriptorsNew, u.StatsNew, f.changed = true, true, true, true, true
}

// remove makes the output take the last update, which says that the meter was removed.
func (f *feed) remove() {
	f.update, f.values, f.changed = MeterUpdate{Meter: f.update.Meter, Removed: true}, nil, true
}
