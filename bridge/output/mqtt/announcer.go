package mqtt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// An announcer announces one device to hubs. It publishes the change from what the broker retains to what is wanted in steps, in the order
// that hubs need (see discovery.PlanChange).
type announcer struct {
	meterID        string // "" for the bridge's own device
	wanted         func(discovery.Style) wantedDevice
	pending        bool // the wanted announcements may have changed
	steps          [][]discovery.Message
	afterSteps     device // what the broker retains after the last step
	lastStep       time.Time
	loggedEntities int           // the number of entities in the last log line
	arrival        *arrivalCheck // nil if none is in progress
}

// A wantedDevice is what a broker should retain of a device.
type wantedDevice struct {
	undecided bool // nothing is known yet, and the other fields are empty
	messages  []discovery.Message
	topics    []string // retained topics with values, relative to the device's own
	entities  int
}

// announceDue takes the next announcement step of every device. A device whose last step was too recent is scheduled for later.
func (s *session) announceDue() {
	s.announce(&s.bridgeDevice) // first, since a hub that receives a meter first makes an empty device for the bridge
	for i := range s.removedMeters {
		s.announce(&s.removedMeters[i])
	}
	for _, m := range s.meters {
		s.announce(&m.announcer)
	}
}

// announce takes the next announcement step of a device, if there is one.
func (s *session) announce(a *announcer) {
	if !a.pending && len(a.steps) == 0 || !s.scanned || s.conn.Err() != nil || s.meters[a.meterID] != nil && s.meters[a.meterID].mayBeOthers() {
		return
	}
	now := time.Now()
	if wait := discovery.StepPause - now.Sub(a.lastStep); wait > 0 {
		s.schedule.in(announceTask, wait)
		return
	}
	if len(a.steps) == 0 && !s.prepareSteps(a) {
		return
	}
	for _, m := range a.steps[0] {
		s.publish(m.Topic, m.Payload, true)
	}
	a.steps, a.lastStep = a.steps[1:], now
	if len(a.steps) == 0 {
		s.undelivered[a.meterID] = a.afterSteps
		if a.arrival != nil && a.arrival.deadline.IsZero() {
			a.arrival.deadline = now.Add(arrivalTimeout)
			s.schedule.in(arrivalTask, arrivalTimeout)
		}
	}
	if len(a.steps) > 0 || a.pending {
		s.schedule.in(announceTask, discovery.StepPause)
	}
}

// storeDelivered records what the broker retains of devices whose steps are all acknowledged.
func (s *session) storeDelivered() {
	for id, delivered := range s.undelivered {
		s.devices.set(id, delivered)
	}
	clear(s.undelivered)
}

// prepareSteps sets the steps from what the broker retains to what is wanted. Until the broker has acknowledged them, both count as
// retained. So the next attempt after an interruption takes back what is left. It reports whether there are steps.
func (s *session) prepareSteps(a *announcer) (some bool) {
	held := s.devices.document.Devices[a.meterID]
	d := s.acceptedPlan(a, held)
	if d.wanted.undecided && len(d.changes) == 0 {
		return false
	}
	a.pending = false
	delete(s.undelivered, a.meterID)
	topics := union(d.wanted.topics, d.keeps.Topics)
	a.steps, a.afterSteps = d.steps, device{Announced: d.after.Union(d.keeps.Announced), Topics: topics}
	if gone := s.emptyMessages(a.meterID, held.Topics, topics); len(gone) > 0 {
		last := max(len(a.steps)-1, 0)
		a.steps = append(a.steps[:last], slices.Concat(slices.Concat(a.steps[last:]...), gone))
	}
	if len(a.steps) == 0 {
		s.devices.set(a.meterID, a.afterSteps)
		return false
	}
	both := device{Announced: held.Announced.Union(a.afterSteps.Announced), Topics: union(held.Topics, topics)}
	s.devices.set(a.meterID, both)
	if len(a.steps) > 1 || len(d.changes.Minus(d.changes.UnderPrefix(s.config.Prefix))) > 0 { // after a crash, also with the old configuration, both must be known
		s.devices.sync()
	}
	if d.refused == nil && !s.startArrivalCheck(a, &d.wanted) && s.conn.Err() == nil {
		s.logAnnounced(a, &d.wanted)
	}
	s.logTakenBack(a, d.changes)
	return true
}

// A changePlan holds the steps from what the broker retains of a device to what is wanted.
type changePlan struct {
	wanted  wantedDevice
	keeps   device              // retained and not changed, since it is not known yet whether it is still wanted
	changes discovery.Announced // retained and changed by the steps
	steps   [][]discovery.Message
	after   discovery.Announced // what the broker retains in place of changes after the steps
	refused error               // why the broker does not accept one of the messages; nil if none is known to be refused
}

// planChange returns the plan from held to what is wanted in a style of announcement.
func (s *session) planChange(a *announcer, held device, style discovery.Style) (d changePlan) {
	d.wanted = a.wanted(style)
	d.keeps = s.keepUndecided(a.meterID, held, &d.wanted)
	d.changes = held.Announced.Minus(d.keeps.Announced)
	d.steps, d.after = discovery.PlanChange(d.changes, d.wanted.messages)
	d.refused = s.refused(d.steps)
	return d
}

// acceptedPlan returns a plan whose steps the broker accepts. If the announcement of the whole device is too large for the broker, each
// entity is announced by itself. If that is refused too, the retained announcements stay, since their replacement would not arrive.
func (s *session) acceptedPlan(a *announcer, held device) changePlan {
	d := s.planChange(a, held, s.config.Style)
	// Before announcements of single entities are replaced by one of the device it must be known whether the broker accepts that.
	replaces := len(d.changes) > 0 && !slices.ContainsFunc(d.wanted.messages, func(m discovery.Message) bool { return d.changes[m.Topic] != nil })
	if d.refused == nil && replaces && s.isTooLarge(&d.wanted) {
		d.refused = s.refused(d.steps)
	}
	if d.refused == nil {
		return d
	}
	if small := s.planChange(a, held, discovery.Component); s.config.Style == discovery.Device && small.refused == nil {
		if s.firstTime("small " + a.meterID) {
			s.log.Warn().Str("meter", cmp.Or(a.meterID, ownDevice)).Err(d.refused).
				Msg("announced entity by entity: the broker does not take the announcement of the whole device")
		}
		return small
	}
	if len(d.steps) > 1 { // if there is only one step, publish skips what the broker refuses
		s.logRefused("announcements", d.refused, notAnnouncedText)
		d.steps, d.after = nil, d.changes
	}
	return d
}

// isTooLarge reports whether the broker silently drops the announcement of a whole device because of its size.
func (s *session) isTooLarge(want *wantedDevice) bool {
	if s.config.Style != discovery.Device || len(want.messages) != 1 {
		return false
	}
	m := want.messages[0]
	size := len(m.Topic) + len(m.Payload)
	return size > smallAnnouncement && s.conn.DropsSilently(context.Background(), size)
}

// refused returns why the broker does not accept one of the messages, or nil if none is known to be refused.
func (s *session) refused(steps [][]discovery.Message) error {
	for _, m := range slices.Concat(steps...) {
		if err := s.conn.CheckMessage(s.message(m.Topic, m.Payload, true)); err != nil {
			return err
		}
	}
	return nil
}

// keepUndecided returns the retained announcements and topics of a configured device that must stay, because it is too early to know whether
// they are wanted. If the meter has not sent a telegram yet, these are all. If the retained scan was incomplete, these are the ones that
// want lacks. Announcements under another prefix, and all announcements if discovery is off, are never among them.
func (s *session) keepUndecided(id string, held device, want *wantedDevice) device {
	stays := device{Announced: held.Announced.UnderPrefix(s.config.Prefix), Topics: held.Topics}
	if s.config.Style == discovery.Off {
		stays.Announced = nil
	}
	switch {
	case want.undecided:
		return stays
	case s.scanIncomplete && s.meters[id] != nil:
		stays.Announced = stays.Announced.Unwanted(want.messages)
		if !s.config.Retain { // values still retained come from a run with another setting
			stays.Topics = nil
		}
		return stays
	}
	return device{}
}

// emptyMessages returns the messages that take back the retained values below the topics held but not wanted.
func (s *session) emptyMessages(id string, held, wanted []string) (gone []discovery.Message) {
	for _, t := range held {
		if !slices.Contains(wanted, t) {
			gone = append(gone, discovery.Message{Topic: s.config.BaseTopic + "/" + id + "/" + t})
		}
	}
	return gone
}

// union returns the strings of a and b, sorted and without repetitions.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
