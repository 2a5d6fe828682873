package mqtt

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A proof finds out, once in a run, if the announcement of a meter reaches those who subscribe to it: a broker acknowledges what its access rules
// forbid (MQTT 3.1.1, 3.3.5). It subscribes before the announcement is published, so that it also works where nothing is retained, and a
// message that was retained before proves nothing.
type proof struct {
	want    wanted
	until   time.Time       // when it is given up; zero as long as not all is published
	missing map[string]bool // topics
}

// proofWait is how long an announcement may take to the broker and back.
const proofWait = 5 * time.Second

// provenBy returns the filters, of a device or "+" for all, that match an announcement.
func (c Config) provenBy(device string, want *wanted) []string {
	filters := c.announcedFilters(device)
	if len(want.messages) > 1 {
		return filters[1:]
	}
	return filters[:1]
}

// prove begins a proof, and tells if there is one: the log says that the meter is announced when it has succeeded.
func (s *session) prove(a *announcer, want *wanted) bool {
	if a.id == "" || want.unknown || len(want.messages) == 0 || s.proven[a.id] {
		return false
	}
	s.endProof(a)
	p := &proof{want: *want, missing: map[string]bool{}}
	for _, m := range want.messages {
		p.missing[m.Topic] = true
	}
	a.proof = p
	hear := func(m broker.Message) {
		if !m.Retain && len(m.Payload) > 0 {
			s.post(func() { delete(p.missing, m.Topic) })
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), echoWait)
	defer cancel()
	for _, filter := range s.config.provenBy("hanbridge_"+a.id, want) {
		if err := s.conn.Subscribe(ctx, filter, 1, hear); err != nil {
			if s.conn.Err() == nil {
				s.proven[a.id] = true
				s.warn(err, "cannot see if announcements reach home assistant (may this user read them?)")
			}
			s.endProof(a)
			return false
		}
	}
	return true
}

// concludeProofs says of each meter whose proof is over if it is announced.
func (s *session) concludeProofs() {
	for _, m := range s.meters {
		p := m.proof
		if p == nil {
			continue
		}
		late := !p.until.IsZero() && !time.Now().Before(p.until)
		switch {
		case len(p.missing) == 0:
			s.proven[m.ID] = true
			s.endProof(&m.announcer)
			s.sayAnnounced(&m.announcer, &p.want)
		case late:
			s.endProof(&m.announcer)
			if !s.tooLarge(&p.want) {
				s.sayDenied(m, p)
				continue
			}
			m.due = true
			s.due.in(announceTask, discovery.StepPause)
		case !p.until.IsZero():
			s.due.in(proofTask, time.Until(p.until))
		}
	}
}

// endProof ends the subscriptions of a proof. Another one is begun with the next announcement.
func (s *session) endProof(a *announcer) {
	if p := a.proof; p != nil {
		a.proof = nil
		s.unsubscribe(s.config.provenBy("hanbridge_"+a.id, &p.want))
	}
}

// sayDenied is said once of a meter.
func (s *session) sayDenied(m *meter, p *proof) {
	if s.once("denied " + m.ID) {
		s.log.Error().Str("meter", m.ID).Msg("the broker has acknowledged the announcement and gives it to nobody who may read it: its access rules most likely forbid it, " +
			"and home assistant does not see this meter. Allow this user to publish and to read " + strings.Join(s.config.provenBy("+", &p.want), " and "))
	}
}

// sayAnnounced is for the log: of a meter that has more to announce than at first, or that is gone. That the same is announced again, for
// a hub that has started, is no news.
func (s *session) sayAnnounced(a *announcer, want *wanted) {
	entities, level := want.entities, s.first
	switch {
	case !a.announced.IsZero() && entities == a.reported:
		level = zerolog.DebugLevel
	case !a.announced.IsZero():
		level = zerolog.InfoLevel
	}
	a.reported = entities
	switch {
	case a.id == "" || want.unknown:
	case entities == 0:
		s.log.WithLevel(level).Str("meter", a.id).Msg("meter is not in the configuration any more: taken back from home assistant")
	case s.config.Style != discovery.Off:
		s.log.WithLevel(level).Str("meter", a.id).Int("entities", entities).Msg("announced to home assistant")
	}
}

// sayTakenBack is for the log: of what was announced where nothing is announced any more.
func (s *session) sayTakenBack(a *announcer, held discovery.Announced) {
	if s.config.Style != discovery.Off {
		held = held.Minus(held.UnderPrefix(s.config.Prefix))
	}
	if len(held) == 0 {
		return
	}
	s.log.Info().Str("meter", cmp.Or(a.id, ownDevice)).Int("topics", len(held)).Msg("taken back: announced under another homeassistant.prefix, or before homeassistant.discovery was off")
}
