package mqtt

import (
	"cmp"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/discovery"
)

// A herald announces one device to hubs, step by step: what a broker holds of it and is no longer wanted is taken back first or
// last, as hubs need it.
type herald struct {
	id        string // the meter's; "" for the bridge's own device
	wanted    func(discovery.Style) wanted
	due       bool // something is to be announced
	steps     [][]discovery.Message
	after     device // what the broker holds when the steps are done
	announced time.Time
	told      int // entities, as the log last said
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
func (s *session) announceDue() error {
	if err := s.announce(&s.own); err != nil { // first: a hub that hears of a meter first makes an empty device for the bridge
		return err
	}
	for i := range s.gone {
		if err := s.announce(&s.gone[i]); err != nil {
			return err
		}
	}
	for _, m := range s.meters {
		if err := s.announce(&m.herald); err != nil {
			return err
		}
	}
	return nil
}

// announce takes the next step of a device, where one is due.
func (s *session) announce(h *herald) error {
	if !h.due && len(h.steps) == 0 || s.survey != nil || s.isOthers(h.id) {
		return nil
	}
	now := time.Now()
	if wait := discovery.PauseBetween - now.Sub(h.announced); wait > 0 {
		s.later.Reset(wait)
		return nil
	}
	if len(h.steps) == 0 && !s.plan(h) {
		return nil
	}
	for _, m := range h.steps[0] {
		if err := s.publish(m.Topic, m.Payload, true); err != nil {
			return err
		}
	}
	h.steps, h.announced = h.steps[1:], now
	if len(h.steps) == 0 {
		s.sent[h.id] = h.after
		s.published(h)
	}
	if len(h.steps) > 0 || h.due {
		s.later.Reset(discovery.PauseBetween)
	}
	return nil
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
func (s *session) plan(h *herald) (some bool) {
	held := s.devices.kept.Devices[h.id]
	d := s.fitting(h, held)
	if d.want.unknown && len(d.rest) == 0 {
		return false
	}
	h.due = false
	delete(s.sent, h.id)
	topics := union(d.want.topics, d.stays.Topics)
	h.steps, h.after = d.steps, device{Announced: d.after.With(d.stays.Announced), Topics: topics}
	if gone := s.emptied(h.id, held.Topics, topics); len(gone) > 0 {
		last := max(len(h.steps)-1, 0)
		h.steps = append(h.steps[:last], slices.Concat(slices.Concat(h.steps[last:]...), gone))
	}
	if len(h.steps) == 0 {
		s.devices.set(h.id, h.after)
		return false
	}
	both := device{Announced: held.Announced.With(h.after.Announced), Topics: union(held.Topics, topics)}
	s.devices.set(h.id, both)
	if len(h.steps) > 1 || len(d.rest.Without(d.rest.Below(s.config.Prefix))) > 0 { // whoever is killed now, and configured back, must know of both
		s.devices.sync()
	}
	if d.refused == nil && !s.prove(h, &d.want) {
		s.sayAnnounced(h, &d.want)
	}
	s.sayTakenBack(h, d.rest)
	return true
}

// A draft is a way from what the broker holds of a device to what is wanted.
type draft struct {
	want    wanted
	stays   device         // what is held and not decided about
	rest    discovery.Held // what is
	steps   [][]discovery.Message
	after   discovery.Held // what is held of it when the steps are done
	refused error          // why the broker does not take one of the steps; nil if it takes all, as far as is known
}

func (s *session) draft(h *herald, held device, style discovery.Style) (d draft) {
	d.want = h.wanted(style)
	d.stays = s.undecided(h.id, held, &d.want)
	d.rest = held.Announced.Without(d.stays.Announced)
	d.steps, d.after = discovery.Change(d.rest, d.want.messages)
	d.refused = s.refused(d.steps)
	return d
}

// fitting is a draft of steps that the broker takes, also where it does not take the announcement of a whole device: then that of each entity
// by itself.
func (s *session) fitting(h *herald, held device) draft {
	d := s.draft(h, held, s.config.Style)
	if d.refused == nil && s.fromEntities(&d) && s.tooLarge(&d.want) {
		d.refused = s.refused(d.steps)
	}
	if d.refused == nil {
		return d
	}
	small := s.draft(h, held, discovery.Component)
	if s.config.Style != discovery.Device || small.refused != nil {
		return s.standing(d)
	}
	if s.once.first("small " + h.id) {
		s.log.Warn().Str("meter", cmp.Or(h.id, ownDevice)).Err(d.refused).
			Msg("announced entity by entity: the broker does not take the announcement of the whole device")
	}
	return small
}

// fromEntities tells if a draft takes back announcements of single entities for that of the whole device. It is to be known before
// whether that arrives.
func (s *session) fromEntities(d *draft) bool {
	if s.config.Style != discovery.Device || len(d.want.messages) != 1 || len(d.rest) == 0 {
		return false
	}
	_, whole := d.rest[d.want.messages[0].Topic]
	return !whole
}

// standing is what of a draft can be done where the broker does not take all of it: nothing is taken back for what does not arrive.
func (s *session) standing(d draft) draft {
	if len(d.steps) < 2 {
		return d // what is too large is passed over
	}
	if count, ok := s.limiter.Allow("announcements"); ok {
		ratelimit.Counted(s.log.Error().Err(d.refused), count).Msg("message not published")
	}
	d.steps, d.after = nil, d.rest
	return d
}

// undecided is what stays of a device that is configured, since it is too early to tell if it is wanted: all of a meter that has not
// spoken and, where not all is known that the broker holds, what is missing in want. What lies under another prefix, or is announced
// at all where nothing is to be announced, is not wanted in any case.
func (s *session) undecided(id string, held device, want *wanted) device {
	stays := device{Announced: held.Announced.Below(s.config.Prefix), Topics: held.Topics}
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

// sayAnnounced is for the log: of a meter that has more to announce than at first, or that is gone. That the same is announced again, for
// a hub that has started, is no news.
func (s *session) sayAnnounced(h *herald, want *wanted) {
	entities, level := want.entities, s.first
	switch {
	case !h.announced.IsZero() && entities == h.told:
		level = zerolog.DebugLevel
	case !h.announced.IsZero():
		level = zerolog.InfoLevel
	}
	h.told = entities
	switch {
	case h.id == "" || want.unknown:
	case entities == 0:
		s.log.WithLevel(level).Str("meter", h.id).Msg("meter is not in the configuration any more: taken back from home assistant")
	case s.config.Style != discovery.Off:
		s.log.WithLevel(level).Str("meter", h.id).Int("entities", entities).Msg("announced to home assistant")
	}
}

// sayTakenBack is for the log: of what was announced where nothing is announced any more.
func (s *session) sayTakenBack(h *herald, held discovery.Held) {
	if s.config.Style != discovery.Off {
		held = held.Without(held.Below(s.config.Prefix))
	}
	if len(held) == 0 {
		return
	}
	s.log.Info().Str("meter", cmp.Or(h.id, ownDevice)).Int("topics", len(held)).Msg("taken back: announced under another homeassistant.prefix, or before homeassistant.discovery was off")
}

func (s *session) wantedOfBridge(style discovery.Style) wanted {
	return wanted{messages: s.config.discovery(style).Bridge(), topics: []string{"status"}}
}
