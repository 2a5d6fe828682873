package mqtt

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// An announcer announces one device to hubs, step by step: what a broker holds of it and is no longer wanted is taken back first or
// last, as hubs need it.
type announcer struct {
	id        string // the meter's; "" for the bridge's own device
	wanted    func(discovery.Style) wanted
	due       bool // something is to be announced
	steps     [][]discovery.Message
	after     device // what the broker holds when the steps are done
	announced time.Time
	reported  int // entities, as the log last said
	proof     *proof
}

// wanted is what a broker should hold of a device.
type wanted struct {
	unknown  bool // it is too early to tell
	messages []discovery.Message
	topics   []string // with retained values, below the device's own
	entities int
}

// announceDue announces every device that has changed and was not announced just now; the others later.
func (s *session) announceDue() {
	s.announce(&s.own) // first: a hub that hears of a meter first makes an empty device for the bridge
	for i := range s.gone {
		s.announce(&s.gone[i])
	}
	for _, m := range s.meters {
		s.announce(&m.announcer)
	}
}

// announce takes the next step of a device, where one is due.
func (s *session) announce(a *announcer) {
	if !a.due && len(a.steps) == 0 || !s.scanned || s.conn.Err() != nil || s.meters[a.id] != nil && s.meters[a.id].isOthers() {
		return
	}
	now := time.Now()
	if wait := discovery.StepPause - now.Sub(a.announced); wait > 0 {
		s.due.in(announceTask, wait)
		return
	}
	if len(a.steps) == 0 && !s.plan(a) {
		return
	}
	for _, m := range a.steps[0] {
		s.publish(m.Topic, m.Payload, true)
	}
	a.steps, a.announced = a.steps[1:], now
	if len(a.steps) == 0 {
		s.sent[a.id] = a.after
		if a.proof != nil && a.proof.until.IsZero() {
			a.proof.until = now.Add(proofWait)
			s.due.in(proofTask, proofWait)
		}
	}
	if len(a.steps) > 0 || a.due {
		s.due.in(announceTask, discovery.StepPause)
	}
}

// confirm notes what the broker holds where it has acknowledged all steps.
func (s *session) confirm() {
	for id, now := range s.sent {
		s.devices.set(id, now)
	}
	clear(s.sent)
}

// plan makes the steps from what the broker holds to what is wanted. Until they are acknowledged it counts as holding both:
// whatever interrupts them, the next attempt takes back what is left.
func (s *session) plan(a *announcer) (some bool) {
	held := s.devices.kept.Devices[a.id]
	d := s.fitting(a, held)
	if d.want.unknown && len(d.rest) == 0 {
		return false
	}
	a.due = false
	delete(s.sent, a.id)
	topics := union(d.want.topics, d.stays.Topics)
	a.steps, a.after = d.steps, device{Announced: d.after.Union(d.stays.Announced), Topics: topics}
	if gone := s.emptied(a.id, held.Topics, topics); len(gone) > 0 {
		last := max(len(a.steps)-1, 0)
		a.steps = append(a.steps[:last], slices.Concat(slices.Concat(a.steps[last:]...), gone))
	}
	if len(a.steps) == 0 {
		s.devices.set(a.id, a.after)
		return false
	}
	both := device{Announced: held.Announced.Union(a.after.Announced), Topics: union(held.Topics, topics)}
	s.devices.set(a.id, both)
	if len(a.steps) > 1 || len(d.rest.Minus(d.rest.UnderPrefix(s.config.Prefix))) > 0 { // whoever is killed now, and configured back, must know of both
		s.devices.sync()
	}
	if d.refused == nil && !s.prove(a, &d.want) && s.conn.Err() == nil {
		s.sayAnnounced(a, &d.want)
	}
	s.sayTakenBack(a, d.rest)
	return true
}

// A draft holds the steps from what the broker holds of a device to what is wanted.
type draft struct {
	want    wanted
	stays   device              // retained, and left as it is: whether it is still wanted is not known yet
	rest    discovery.Announced // retained, and changed by the steps
	steps   [][]discovery.Message
	after   discovery.Announced // what rest has become when the steps are done
	refused error               // why the broker does not take one of the steps; nil if it takes all, as far as is known
}

func (s *session) draft(a *announcer, held device, style discovery.Style) (d draft) {
	d.want = a.wanted(style)
	d.stays = s.undecided(a.id, held, &d.want)
	d.rest = held.Announced.Minus(d.stays.Announced)
	d.steps, d.after = discovery.PlanChange(d.rest, d.want.messages)
	d.refused = s.refused(d.steps)
	return d
}

// fitting returns a draft whose steps the broker accepts. Where it refuses the announcement of the whole device as too large, each entity is
// announced by itself. Where it refuses that too, what it holds stays: its replacement would not arrive.
func (s *session) fitting(a *announcer, held device) draft {
	d := s.draft(a, held, s.config.Style)
	// Before announcements of single entities are replaced by one of the device it must be known whether the broker accepts that.
	replaces := len(d.rest) > 0 && !slices.ContainsFunc(d.want.messages, func(m discovery.Message) bool { return d.rest[m.Topic] != nil })
	if d.refused == nil && replaces && s.tooLarge(&d.want) {
		d.refused = s.refused(d.steps)
	}
	if d.refused == nil {
		return d
	}
	if small := s.draft(a, held, discovery.Component); s.config.Style == discovery.Device && small.refused == nil {
		if s.once("small " + a.id) {
			s.log.Warn().Str("meter", cmp.Or(a.id, ownDevice)).Err(d.refused).
				Msg("announced entity by entity: the broker does not take the announcement of the whole device")
		}
		return small
	}
	if len(d.steps) > 1 { // one that is too large is passed over
		s.sayRefused("announcements", d.refused, notAnnounced)
		d.steps, d.after = nil, d.rest
	}
	return d
}

// tooLarge tells if the announcement of a whole device does not arrive for its size: then it goes out entity by entity.
func (s *session) tooLarge(want *wanted) bool {
	if s.config.Style != discovery.Device || len(want.messages) != 1 {
		return false
	}
	m := want.messages[0]
	size := len(m.Topic) + len(m.Payload)
	return size > smallAnnouncement && s.conn.DropsSilently(context.Background(), size)
}

// refused is why this broker does not take one of the messages; nil if it takes all, as far as is known.
func (s *session) refused(steps [][]discovery.Message) error {
	for _, m := range slices.Concat(steps...) {
		if err := s.conn.CheckMessage(s.message(m.Topic, m.Payload, true)); err != nil {
			return err
		}
	}
	return nil
}

// undecided returns the retained announcements and topics of a configured device that must stay, because it is too early to know whether
// they are wanted. If the meter has not sent a telegram yet, these are all. If the retained scan was incomplete, these are the ones that
// want lacks. Announcements under another prefix, and all announcements if discovery is off, are never among them.
func (s *session) undecided(id string, held device, want *wanted) device {
	stays := device{Announced: held.Announced.UnderPrefix(s.config.Prefix), Topics: held.Topics}
	if s.config.Style == discovery.Off {
		stays.Announced = nil
	}
	switch {
	case want.unknown:
		return stays
	case s.partial && s.meters[id] != nil:
		stays.Announced = stays.Announced.Unwanted(want.messages)
		if !s.config.Retain { // else a value that is still retained is an old one
			stays.Topics = nil
		}
		return stays
	}
	return device{}
}

// emptied are the messages that take back retained values that nobody will publish again.
func (s *session) emptied(id string, held, wanted []string) (gone []discovery.Message) {
	for _, t := range held {
		if !slices.Contains(wanted, t) {
			gone = append(gone, discovery.Message{Topic: s.config.BaseTopic + "/" + id + "/" + t})
		}
	}
	return gone
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
