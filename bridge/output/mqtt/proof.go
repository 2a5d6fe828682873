package mqtt

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A proof finds out, once in a run, if the announcement of a meter reaches those who subscribe to it: a broker acknowledges what its access rules
// forbid (MQTT 3.1.1, 3.3.5). It subscribes before the announcement is published, so that it also works where nothing is retained, and a
// message that was retained before proves nothing.
type proof struct {
	filters []string
	want    wanted
	until   time.Time // when it is given up; zero as long as not all is published

	mu      sync.Mutex
	missing map[string]bool // topics
	came    chan struct{}   // of the session
}

// proofWait is how long an announcement may take to the broker and back.
const proofWait = 5 * time.Second

// hear runs on the connection's goroutines.
func (p *proof) hear(m broker.Message) {
	if m.Retain || len(m.Payload) == 0 {
		return
	}
	p.mu.Lock()
	delete(p.missing, m.Topic)
	whole := len(p.missing) == 0
	p.mu.Unlock()
	if whole {
		select {
		case p.came <- struct{}{}:
		default:
		}
	}
}

func (p *proof) whole() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.missing) == 0
}

// prove begins a proof, and tells if there is one: the log says that the meter is announced when it has succeeded.
func (s *session) prove(a *announcer, want *wanted) bool {
	if a.id == "" || want.unknown || len(want.messages) == 0 || s.proven[a.id] {
		return false
	}
	s.endProof(a)
	p := &proof{filters: []string{want.messages[0].Topic}, want: *want, missing: map[string]bool{}, came: s.proofs}
	if len(want.messages) > 1 {
		p.filters = s.config.announcedFilters("hanbridge_" + a.id)[1:]
	}
	for _, m := range want.messages {
		p.missing[m.Topic] = true
	}
	a.proof = p
	ctx, cancel := context.WithTimeout(context.Background(), echoWait)
	defer cancel()
	for _, filter := range p.filters {
		if err := s.conn.Subscribe(ctx, filter, 1, p.hear); err != nil {
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

// published notes that all of an announcement is on its way.
func (s *session) published(a *announcer) {
	if a.proof != nil && a.proof.until.IsZero() {
		a.proof.until = time.Now().Add(proofWait)
		s.giveUp.Reset(proofWait)
	}
}

// concludeProofs says of each meter whose proof is over if it is announced.
func (s *session) concludeProofs() {
	left := time.Duration(0)
	for _, m := range s.meters {
		p := m.proof
		switch {
		case p == nil:
		case p.whole():
			s.proven[m.ID] = true
			s.endProof(&m.announcer)
			s.sayAnnounced(&m.announcer, &p.want)
		case p.until.IsZero():
		case time.Now().Before(p.until):
			left = max(left, time.Until(p.until))
		default:
			s.endProof(&m.announcer)
			if s.tooLarge(&p.want) {
				m.due = true
				s.later.Reset(discovery.PauseBetween)
				continue
			}
			s.sayDenied(m, p)
		}
	}
	if left > 0 {
		s.giveUp.Reset(left)
	}
}

// tooLarge tells if the announcement of a whole device did not arrive for its size: then it goes out entity by entity.
func (s *session) tooLarge(want *wanted) bool {
	if s.config.Style != discovery.Device || len(want.messages) != 1 {
		return false
	}
	m := want.messages[0]
	size := len(m.Topic) + len(m.Payload)
	return size > smallAnnouncement && s.conn.Drops(context.Background(), size)
}

// endProof ends the subscriptions of a proof. Another one is begun with the next announcement.
func (s *session) endProof(a *announcer) {
	p := a.proof
	if a.proof = nil; p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), echoWait)
	defer cancel()
	_ = s.conn.Unsubscribe(ctx, p.filters...) // what comes nevertheless is heard by nobody
}

// endProofs ends them all: the retained scan subscribes to the same topics.
func (s *session) endProofs() {
	for _, m := range s.meters {
		s.endProof(&m.announcer)
	}
}

// sayDenied is said once of a meter.
func (s *session) sayDenied(m *meter, p *proof) {
	if !s.once.first("denied " + m.ID) {
		return
	}
	filters := s.config.announcedFilters("+")
	if len(p.want.messages) == 1 {
		filters = filters[:1]
	} else {
		filters = filters[1:]
	}
	s.log.Error().Str("meter", m.ID).Msg("the broker has acknowledged the announcement and gives it to nobody who may read it: its access rules most likely forbid it, " +
		"and home assistant does not see this meter. Allow this user to publish and to read " + strings.Join(filters, " and "))
}
