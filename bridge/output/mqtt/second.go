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
func counter(id quantity.ID) bool { return id.Row().StateClass == quantity.TotalIncreasing }

// hold keeps the newest counters of a meter whose counters are not published, to compare them.
func (m *meter) hold(values []bridge.Value) {
	for i := range values {
		if counter(values[i].ID) {
			m.held[values[i].ID] = values[i]
		}
	}
}

// yields tells that another bridge says whether a meter is online.
func (m *meter) yields() bool { return m.claim.yields(time.Now()) }

// isOthers tells that a meter is, or may be, announced by another bridge.
func (m *meter) isOthers() bool { return !m.first && m.claim.contested() }

// sharesStats tells that the counts of a meter are published here.
func (m *meter) sharesStats() bool { return m.first || m.about.Protocol == "" && !m.isOthers() }

// decideCounters decides on the counters of a meter. It asks the broker where it has to, and has itself called again when it must be looked at again.
func (s *session) decideCounters(ctx context.Context, m *meter) decision {
	c, facts := m.claim, len(m.held) // by which the meter can be told from another
	if m.about.Serial != "" {
		facts++
	}
	if c.evidence == nothingKnown && facts > m.asked {
		c.evidence = notAsked
	}
	d := c.decide(time.Now())
	if d == ask && facts == 0 {
		return wait // its counters come once an hour
	}
	if d == ask {
		m.asked, c.evidence = facts, s.compare(ctx, m)
		d = c.decide(time.Now())
	}
	if d == wait {
		s.lookAgain(time.Until(c.quietAt()))
	}
	return d
}

// lookAgain has the claims looked at in a while, or sooner.
func (s *session) lookAgain(in time.Duration) { s.due.in(reviewTask, max(in, 0)+10*time.Millisecond) }

// review acts on what was heard of others since the last call.
func (s *session) review(ctx context.Context) {
	anew := false
	for _, m := range s.meters {
		if m.about.Protocol != "" && s.reviewMeter(ctx, m) {
			anew = true
		}
	}
	switch {
	case !anew:
	case s.config.Style == discovery.Off || s.config.BrokerEmpty:
		s.introduce()
	default:
		s.scanRetained(ctx) // what is announced is the other's
	}
}

// reviewMeter does so for one meter, and tells if it is to be published from now on.
func (s *session) reviewMeter(ctx context.Context, m *meter) (anew bool) {
	if m.first && m.claim.first {
		s.defend(m)
		return false
	}
	d := s.decideCounters(ctx, m)
	if m.second = d != publish; m.first || m.second {
		s.forget(m)
	}
	m.first = false
	s.saySecond(m, d)
	return d == publish
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
func (s *session) defend(m *meter) {
	c, now := m.claim, time.Now()
	if left := c.rivalAt.Add(c.patience).Sub(now); c.rival != "" && left > 0 {
		s.lookAgain(left)
		s.tell(m, zerolog.ErrorLevel, saidFirst)
	} else {
		c.rival = ""
	}
	if left := time.Second - now.Sub(m.defended); c.reply && left > 0 {
		s.lookAgain(left)
	} else if c.reply || c.rival != m.rival {
		m.rival, m.defended, c.reply = c.rival, now, false
		s.info(m)
	}
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
func (s *session) saySecond(m *meter, d decision) {
	switch {
	case d == publish && m.told:
		s.tell(m, zerolog.InfoLevel, saidTaken)
	case d == publish:
	case !m.claim.heard.IsZero() && !m.claim.quiet(time.Now()):
		s.tell(m, zerolog.ErrorLevel, saidSecond+m.ID)
	case d != withhold:
		s.tell(m, zerolog.InfoLevel, saidWaits)
	default:
		s.tell(m, zerolog.ErrorLevel, saidStale+m.ID)
		if !m.stale {
			m.stale = true
			s.publish(m.prefix+discovery.RejectedReason, shortened([]byte(hubStale+m.ID)), true)
			s.state(m)
		}
	}
}
