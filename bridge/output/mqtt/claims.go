package mqtt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// claim returns the claim of a meter, which lives as long as the Output.
func (o *Output) claim(meter string) *claim {
	if o.claims[meter] == nil {
		o.claims[meter] = &claim{mark: o.marks.run, patience: o.patience, unknown: o.marks.instance == nil}
	}
	return o.claims[meter]
}

// hearInfo hears a description of a meter.
func (s *session) hearInfo(c *claim, m broker.Message) {
	d := parseJSON[description](m.Payload)
	s.post(func() {
		c.info(m.Payload, m.Retain, s.marks.own(d.Instance), !m.Retain && d.Instance == s.marks.run, d, time.Now())
	})
}

// hearTelegram hears a telegram of a meter. Those of this bridge come back too, also late, and twice where something mirrors them; what is
// retained was sent at any time.
func (s *session) hearTelegram(c *claim, m broker.Message) {
	from := parseJSON[sender](m.Payload)
	if !m.Retain && len(m.Payload) > 0 && !s.marks.own(from.Instance) {
		s.post(func() { c.telegram(from.Instance, from.Counters == withheld, time.Now()) })
	}
}

// watch subscribes to what others may publish of the meters, and returns when the broker has told what it holds.
func (s *session) watch(ctx context.Context) error {
	until, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	for _, id := range s.watched {
		c, prefix := s.claim(id), s.config.BaseTopic+"/"+id+"/"
		c.connect(time.Now())
		err := s.conn.Subscribe(until, prefix+"info", 1, func(m broker.Message) { s.hearInfo(c, m) })
		if err == nil { // a telegram that is lost is followed by others
			err = s.conn.Subscribe(until, prefix+"telegram", 0, func(m broker.Message) { s.hearTelegram(c, m) })
		}
		if err != nil && !s.ended(ctx) {
			s.warnUnchecked(err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.settle()
	return nil
}

// settle waits until the descriptions and the status that the broker holds are heard, or it is silent.
func (s *session) settle() {
	s.await(echoWait, settled, func() bool {
		return s.statusHeard && !slices.ContainsFunc(s.watched, func(id string) bool { return !s.claim(id).described })
	})
	if s.wasOnline || s.conflict.Detected() { // a client of the same id is another bridge that lives
		for _, id := range s.watched {
			s.claim(id).alive = true
		}
	}
	s.lookAgain(0)
}

// await does what is posted until something is done. It reports false if that takes too long, the broker is silent for too long, or the
// connection is lost.
func (s *session) await(most, silence time.Duration, done func() bool) bool {
	for limit := time.After(most); !done(); s.takePosted() {
		select {
		case <-s.wake:
		case <-time.After(silence):
			return false
		case <-limit:
			return false
		case <-s.conn.Lost():
			return false
		}
	}
	return true
}

// leaveToOthers forgets the meters that are not configured any more and that another bridge publishes: they are not taken back.
func (s *session) leaveToOthers() {
	s.gone = slices.DeleteFunc(s.gone, func(a announcer) bool {
		c := s.claim(a.id)
		others := c.holder != "" || c.unmarked && c.alive
		if others {
			s.devices.set(a.id, device{})
		}
		return others
	})
}

// echoWait is how long a message may take to the broker and back.
const echoWait = 2 * time.Second

// takeClaims publishes the descriptions of meters that speak and that this bridge is to publish, and returns when it is known that no
// other bridge was quicker. Their counters must not be published before.
func (s *session) takeClaims(ctx context.Context, news []bridge.MeterUpdate) {
	var taken []*meter
	for i := range news {
		n := &news[i]
		m := s.meter(n.Meter)
		if n.Description.Protocol == "" || m.first {
			continue
		}
		m.about, m.claim.patience = n.Description, max(s.patience, silentAfter*n.Stats.Interval)
		m.hold(n.Values)
		s.lookAgain(0)
		if m.second || s.decideCounters(ctx, m) != publish { // who was second begins with what the broker holds
			continue
		}
		m.first, m.due = true, true
		clear(m.held)
		n.DescriptionNew = false // it is described here
		if !m.claim.first {
			m.claim.claiming, m.claim.began = true, time.Now().UTC().Truncate(time.Millisecond)
			taken = append(taken, m)
		}
		s.info(m)
	}
	s.awaitEchoes(taken)
	if s.conn.Err() != nil {
		return
	}
	for _, m := range taken { // the time in which others may have been quicker is over
		m.first = m.claim.first || m.claim.claiming
		m.claim.first, m.claim.claiming = m.first, false
	}
}

var errNotHeard = errors.New("mqtt: what this bridge publishes does not come back to it")

// awaitEchoes waits until the descriptions have come back, and as long again for those of others that were published at the same time. The end of
// the program does not shorten that: counters that are published too early stay in a hub for ever.
func (s *session) awaitEchoes(taken []*meter) {
	if len(taken) == 0 || s.unchecked {
		return
	}
	began := time.Now()
	echoed := s.await(echoWait, echoWait, func() bool { // or it is another's
		return !slices.ContainsFunc(taken, func(m *meter) bool { return m.claim.claiming && !m.claim.echoed })
	})
	if !echoed && s.conn.Err() == nil {
		s.warnUnchecked(errNotHeard)
		return
	}
	wait := settled + time.Since(began)
	if !s.conn.RetainAvailable() { // the broker cannot tell who published the meter before: whoever does must have the time to answer
		wait = echoWait
	}
	s.await(wait, wait, func() bool { return false })
}

// warnUnchecked notes that nothing is heard of other bridges on this connection, which the log says once.
func (s *session) warnUnchecked(err error) {
	s.unchecked = true
	if s.once("unchecked") {
		s.log.Warn().Err(err).Msg("cannot read the topics of these meters: whether another bridge uses the same meters.id is not checked " +
			"(allow this user to read " + s.config.valueFilter() + ")")
	}
}
