package mqtt

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// counter tells if a quantity counts: what a hub adds up.
func counter(id quantity.ID) bool { return id.Row().State == quantity.TotalIncreasing }

// hold keeps the newest counters of a meter whose counters are not published, to compare them.
func (m *meter) hold(values []bridge.Value) {
	for i := range values {
		if !counter(values[i].ID) {
			continue
		}
		if m.held == nil {
			m.held = map[quantity.ID]bridge.Value{}
		}
		m.held[values[i].ID] = values[i]
	}
}

// patienceWith is how long another bridge may be silent before it is taken for gone.
func (s *session) patienceWith(m *meter) time.Duration {
	return max(s.patience, silentAfter*m.interval)
}

// yields tells that another bridge says whether a meter is online.
func (s *session) yields(m *meter) bool {
	c := s.see(m.ID)
	return c.yields(time.Now(), s.patienceWith(m))
}

// isOthers tells that a meter is, or may be, announced by another bridge.
func (s *session) isOthers(id string) bool {
	m := s.meters[id]
	if m == nil || m.first {
		return false
	}
	c := s.see(id)
	return c.contested()
}

// sharesStats tells that the counts of a meter are published here.
func (s *session) sharesStats(m *meter) bool {
	return m.first || m.about.Protocol == "" && !s.isOthers(m.ID)
}

// facts is how much is known by which the meter can be told from another.
func (m *meter) facts() int {
	n := len(m.held)
	if m.about.Serial != "" {
		n++
	}
	return n
}

// decideCounters decides on the counters of a meter. It asks the broker where it has to, and has itself called again when it must be looked at again.
func (s *session) decideCounters(ctx context.Context, m *meter) (d decision) {
	patience, facts := s.patienceWith(m), m.facts()
	decide := func(found evidence) {
		s.of(m.ID, func(c *claim) {
			if found != notAsked || c.evidence == nothingKnown && facts > m.asked {
				c.evidence = found
			}
			d = c.decide(time.Now(), patience)
		})
	}
	decide(notAsked)
	if d == ask && facts == 0 {
		return wait // its counters come once an hour
	}
	if d == ask {
		m.asked = facts
		decide(s.compare(ctx, m))
	}
	if d == wait {
		c := s.see(m.ID)
		s.lookAgain(time.Until(c.quietAt(patience)))
	}
	return d
}

// lookAgain has the claims looked at in a while, or sooner.
func (s *session) lookAgain(in time.Duration) { s.due.in(reviewTask, max(in, 0)+10*time.Millisecond) }

// review acts on what was heard of others since the last call.
func (s *session) review(ctx context.Context) error {
	anew := false
	for _, m := range s.meters {
		if m.about.Protocol == "" {
			continue
		}
		again, err := s.reviewMeter(ctx, m)
		if err != nil {
			return err
		}
		anew = anew || again
	}
	switch {
	case !anew:
		return nil
	case s.config.Style == discovery.Off || s.config.Empty:
		return s.introduce(ctx)
	}
	return s.scanRetained(ctx) // what is announced is the other's
}

// reviewMeter does so for one meter, and tells if it is to be published from now on.
func (s *session) reviewMeter(ctx context.Context, m *meter) (anew bool, err error) {
	c := s.see(m.ID)
	if m.first && c.first {
		return false, s.defend(m, &c)
	}
	d := s.decideCounters(ctx, m)
	if m.second = d != publish; m.first || m.second {
		s.forget(m)
	}
	m.first = false
	return d == publish, s.saySecond(m, d)
}

// forget leaves what is announced and retained of a meter to the other bridge: it is never taken back from here.
func (s *session) forget(m *meter) {
	delete(s.sent, m.ID)
	m.steps = nil
	s.endProof(&m.announcer)
	if _, ok := s.devices.kept.Devices[m.ID]; ok {
		s.devices.set(m.ID, device{})
	}
}

// defend says again who is first where another has said that it is, and notes who publishes the meter too.
func (s *session) defend(m *meter, c *claim) error {
	rival, now := c.rival, time.Now()
	if left := c.rivalAt.Add(s.patienceWith(m)).Sub(now); rival != "" && left <= 0 {
		rival = ""
	} else if rival != "" {
		s.lookAgain(left)
		s.tell(m, zerolog.ErrorLevel, saidFirst)
	}
	if left := time.Second - now.Sub(m.defended); c.reply && left > 0 {
		s.lookAgain(left)
		return nil
	}
	if !c.reply && rival == m.rival {
		return nil
	}
	m.rival, m.defended = rival, now
	s.of(m.ID, func(c *claim) { c.reply, c.rival = false, rival })
	return s.info(m)
}

// What the log says of a meter that two bridges publish.
const (
	saidFirst = "another bridge publishes this meter too: a hub mixes the two meters up. Set another meters.id in the configuration of one of " +
		"the two bridges, and restart it"
	saidSecond = "another bridge publishes this meter already: its counters are not published from here, since a hub would count the " +
		"step from one meter to the other as consumption. Set another meters.id in this configuration, and restart; or stop the other bridge for " +
		"good, and type: hanbridge takeover "
	saidStale = "another bridge has published this meter, and is not heard now; nothing shows that its meter is the same as this one, so the counters " +
		"are not published from here. Does it still run? Then set another meters.id in one of the two configurations. Is it gone for good? Then " +
		"type: hanbridge takeover "
	hubStale = "counters: another bridge published this meter before, and nothing shows that the meter is the same. Set another meters.id, " +
		"or type: hanbridge takeover "
	saidWaits = "the broker has a description of this meter by another bridge: counters are not published until it is clear that the other " +
		"bridge is silent"
	saidTaken = "another bridge published this meter before, and is silent now: its counters are published from here"
)

// tell says something of a meter, and again when an hour has passed.
func (s *session) tell(m *meter, level zerolog.Level, what string) {
	if m.told = true; s.sayAgain(m.ID+": "+what, time.Hour) {
		s.log.WithLevel(level).Str("meter", m.ID).Msg(what)
	}
}

// saySecond tells why the counters are not published, or that they are from now on. Where no other bridge is heard the hub is told too, where
// a person looks for the counters: nobody else publishes what the bridge says of the meter.
func (s *session) saySecond(m *meter, d decision) error {
	c := s.see(m.ID)
	switch {
	case d == publish && m.told:
		s.tell(m, zerolog.InfoLevel, saidTaken)
	case d == publish:
	case !c.heard.IsZero() && !c.quiet(time.Now(), s.patienceWith(m)):
		s.tell(m, zerolog.ErrorLevel, saidSecond+m.ID)
	case d != withhold:
		s.tell(m, zerolog.InfoLevel, saidWaits)
	default:
		s.tell(m, zerolog.ErrorLevel, saidStale+m.ID)
		if m.stale {
			return nil
		}
		m.stale = true
		if err := s.publish(m.prefix+discovery.RejectedReason, shortened([]byte(hubStale+m.ID)), true); err != nil {
			return err
		}
		return s.state(m)
	}
	return nil
}
