package mqtt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// An announcer announces one device to hubs. It changes the retained announcements to the wanted announcements in steps, in the order that
// hubs need (see discovery.PlanChange).
type announcer struct {
	meterID        string                             // "" for the bridge's own device
	wanted         func(discovery.Style) wantedDevice // returns what the broker should retain in a style of announcement
	pending        bool                               // the wanted announcements have possibly changed
	steps          [][]discovery.Message              // the steps that are not published yet
	afterSteps     device                             // what the broker retains after the last step
	lastStep       time.Time                          // when a step was last published on this connection; zero before the first step
	loggedEntities int                                // the number of entities in the last log line
	arrival        *arrivalCheck                      // nil if no arrival check is in progress
}

// A wantedDevice holds the announcements and topics of a device that the broker should retain.
type wantedDevice struct {
	undecided bool // it is not known yet what the broker should retain; the other fields are empty
	messages  []discovery.Message
	topics    []string // topics with retained values, relative to the device's own topic
	entities  int      // the number of entities in messages
}

// announceDue publishes the next announcement step of every device; see announce.
func (s *session) announceDue() {
	s.announce(&s.bridgeDevice) // first, because a hub that receives a meter before the bridge creates an empty device for the bridge
	for i := range s.removedMeters {
		s.announce(&s.removedMeters[i])
	}
	for _, m := range s.meters {
		s.announce(&m.announcer)
	}
}

// announce publishes the next announcement step of a device. If the last step of the device was published less than StepPause ago, announce
// schedules the next step instead. Nothing is announced before the retained scan has ended, or if another bridge announces the meter.
func (s *session) announce(a *announcer) {
	m := s.meters[a.meterID] // nil for the bridge's own device and for removed meters
	announcedByOther := m != nil && m.otherAnnounces()
	isUpToDate := !a.pending && len(a.steps) == 0
	if announcedByOther || isUpToDate || !s.scanned || s.conn.Err() != nil {
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
		s.undelivered[a.meterID] = undeliveredDevice{a.afterSteps, s.conn.Published()}
		if a.arrival != nil && a.arrival.deadline.IsZero() {
			a.arrival.deadline = now.Add(arrivalTimeout)
			s.schedule.in(arrivalTask, arrivalTimeout)
		}
	}
	if len(a.steps) > 0 || a.pending {
		s.schedule.in(announceTask, discovery.StepPause)
	}
}

// An undeliveredDevice is what the broker retains of a device when it has acknowledged the last announcement step.
type undeliveredDevice struct {
	device
	published uint64 // the number of messages that were published on this connection up to the last step
}

// storeDelivered copies the devices whose last step the broker has acknowledged to the record of retained messages. Acknowledged is the number
// of acknowledged messages of this connection.
func (s *session) storeDelivered(acknowledged uint64) {
	for id, u := range s.undelivered {
		if u.published <= acknowledged {
			s.devices.set(id, u.device)
			delete(s.undelivered, id)
		}
	}
}

// prepareSteps sets the steps that change the retained announcements and values of a device to the wanted announcements and values. Until the
// broker has acknowledged the steps, the record holds the old and the wanted announcements. So after an interruption, the bridge still finds
// every announcement that it must remove. prepareSteps reports whether there are steps.
func (s *session) prepareSteps(a *announcer) (hasSteps bool) {
	recorded := s.devices.document.Devices[a.meterID]
	plan := s.acceptedPlan(a, recorded)
	if plan.wanted.undecided && len(plan.changes) == 0 {
		return false
	}
	a.pending = false
	delete(s.undelivered, a.meterID)
	topics := union(plan.wanted.topics, plan.unchanged.Topics)
	a.steps, a.afterSteps = plan.steps, device{Announced: plan.replacement.Union(plan.unchanged.Announced), Topics: topics}
	if removals := s.removalMessages(a.meterID, recorded.Topics, topics); len(removals) > 0 {
		if len(a.steps) == 0 {
			a.steps = [][]discovery.Message{nil} // one step, which has no announcements
		}
		last := len(a.steps) - 1
		a.steps[last] = slices.Concat(a.steps[last], removals)
	}
	if len(a.steps) == 0 {
		s.devices.set(a.meterID, a.afterSteps)
		return false
	}
	oldAndNew := device{Announced: recorded.Announced.Union(a.afterSteps.Announced), Topics: union(recorded.Topics, topics)}
	s.devices.set(a.meterID, oldAndNew)
	underOtherPrefix := plan.changes.Minus(plan.changes.UnderPrefix(s.config.Prefix))
	if len(a.steps) > 1 || len(underOtherPrefix) > 0 { // after a crash, the next run cannot find all of these announcements without the record
		s.devices.sync()
	}
	// If an arrival check starts, the check logs the announcement when it ends.
	if plan.refusal == nil && !s.startArrivalCheck(a, &plan.wanted) && s.conn.Err() == nil {
		s.logAnnounced(a, &plan.wanted)
	}
	s.logRemoved(a, plan.changes)
	return true
}

// A changePlan holds the steps from the retained announcements of a device to the wanted announcements.
type changePlan struct {
	wanted      wantedDevice
	unchanged   device              // the part that the steps do not change (see undecidedPart)
	changes     discovery.Announced // the retained announcements that the steps replace or remove
	steps       [][]discovery.Message
	replacement discovery.Announced // the announcements that the broker retains after the steps in place of changes
	refusal     error               // why the broker does not accept one of the messages; nil if no refusal is known
}

// planChange returns the plan that changes the recorded device to the wanted device in a style of announcement.
func (s *session) planChange(a *announcer, recorded device, style discovery.Style) (plan changePlan) {
	plan.wanted = a.wanted(style)
	plan.unchanged = s.undecidedPart(a.meterID, recorded, &plan.wanted)
	plan.changes = recorded.Announced.Minus(plan.unchanged.Announced)
	plan.steps, plan.replacement = discovery.PlanChange(plan.changes, plan.wanted.messages)
	plan.refusal = s.firstRefusal(plan.steps)
	return plan
}

// acceptedPlan returns a plan whose steps the broker accepts. If the announcement of the whole device is too large for the broker, each
// entity is announced in a message of its own. If the broker refuses these messages too, the plan has no steps, because the messages that
// replace the retained announcements would not arrive. But a plan of only one step remains, because publish skips the messages that the broker
// refuses.
func (s *session) acceptedPlan(a *announcer, recorded device) changePlan {
	plan := s.planChange(a, recorded, s.config.Style)
	// topicsChange is true if the announcements move to other topics, such as from single entities to the whole device. Then the steps remove the
	// retained announcements. So they must not begin before it is known that the broker accepts the announcement of the device.
	topicsChange := len(plan.changes) > 0 && !slices.ContainsFunc(plan.wanted.messages, func(m discovery.Message) bool { return plan.changes[m.Topic] != nil })
	if plan.refusal == nil && topicsChange && s.isTooLarge(&plan.wanted) {
		plan.refusal = s.firstRefusal(plan.steps) // isTooLarge has recorded the limit
	}
	if plan.refusal == nil {
		return plan
	}
	if perEntity := s.planChange(a, recorded, discovery.Component); s.config.Style == discovery.Device && perEntity.refusal == nil {
		if s.firstTime("small " + a.meterID) {
			s.log.Warn().Str("meter", cmp.Or(a.meterID, ownDevice)).Err(plan.refusal).
				Msg("announced entity by entity: the broker does not accept the announcement of the whole device")
		}
		return perEntity
	}
	if len(plan.steps) > 1 { // if there is only one step, publish skips a message that the broker refuses
		s.logRefused("announcements", plan.refusal, notAnnouncedText)
		plan.steps, plan.replacement = nil, plan.changes
	}
	return plan
}

// isTooLarge reports whether the broker silently drops the announcement of a whole device because of its size.
func (s *session) isTooLarge(wanted *wantedDevice) bool {
	if s.config.Style != discovery.Device || len(wanted.messages) != 1 {
		return false
	}
	m := wanted.messages[0]
	size := len(m.Topic) + len(m.Payload)
	return size > smallAnnouncement && s.conn.DropsSilently(context.Background(), size)
}

// firstRefusal returns why the broker does not accept one of the messages, or nil if no refusal is known.
func (s *session) firstRefusal(steps [][]discovery.Message) error {
	for _, m := range slices.Concat(steps...) {
		if err := s.conn.CheckMessage(s.message(m.Topic, m.Payload, true)); err != nil {
			return err
		}
	}
	return nil
}

// undecidedPart returns the part of a recorded device that remains retained, because it is not known yet whether the part is wanted. Before the
// first telegram of the meter, the part is the whole device. After an incomplete retained scan, the part has the announcements that are not in
// wanted and, if values are retained, all topics. In both cases the part has no announcements under another prefix, and no announcements if
// discovery is off. Otherwise the part is empty.
func (s *session) undecidedPart(id string, recorded device, wanted *wantedDevice) device {
	undecided := device{Announced: recorded.Announced.UnderPrefix(s.config.Prefix), Topics: recorded.Topics}
	if s.config.Style == discovery.Off {
		undecided.Announced = nil
	}
	switch {
	case wanted.undecided:
		return undecided
	case s.scanIncomplete && s.meters[id] != nil:
		undecided.Announced = undecided.Announced.Unwanted(wanted.messages)
		if !s.config.Retain { // retained values are certainly not wanted
			undecided.Topics = nil
		}
		return undecided
	}
	return device{}
}

// removalMessages returns the empty messages that remove the retained values of the recorded topics that are not wanted.
func (s *session) removalMessages(id string, recorded, wanted []string) (removals []discovery.Message) {
	for _, t := range recorded {
		if !slices.Contains(wanted, t) {
			removals = append(removals, discovery.Message{Topic: s.config.BaseTopic + "/" + id + "/" + t})
		}
	}
	return removals
}

// union returns the strings of a and b, sorted and without repetitions.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
