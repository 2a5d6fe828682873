package mqtt

import (
	"context"
	"errors"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// of runs f with the claim of a meter. The session and the connection's goroutines share the claims.
func (o *Output) of(meter string, f func(*claim)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.claims[meter]
	if one == nil {
		one = &claim{mark: o.marks.run, unknown: o.marks.instance == nil}
		o.claims[meter] = one
	}
	f(one)
}

// see returns a copy of a claim.
func (o *Output) see(meter string) (now claim) {
	o.of(meter, func(one *claim) { now = *one })
	return now
}

// hearInfo returns what takes the descriptions of a meter.
func (s *session) hearInfo(meter string) func(broker.Message) {
	return func(m broker.Message) {
		d := parseJSON[description](m.Payload)
		echo := !m.Retain && d.Instance == s.marks.run
		s.of(meter, func(one *claim) { one.info(m.Payload, m.Retain, s.marks.own(d.Instance), echo, d, time.Now()) })
		s.awake()
	}
}

// hearTelegram returns what takes the telegrams of a meter. Those of this bridge come back too, also late, and twice where something
// mirrors them; what is retained was sent at any time.
func (s *session) hearTelegram(meter string) func(broker.Message) {
	return func(m broker.Message) {
		if m.Retain || len(m.Payload) == 0 {
			return
		}
		from := parseJSON[sender](m.Payload)
		if s.marks.own(from.Instance) {
			return
		}
		s.of(meter, func(one *claim) { one.telegram(from.Instance, from.Counters == withheld, time.Now()) })
		s.awake()
	}
}

// watch subscribes to what others may publish of the meters, and returns when the broker has told what it holds.
func (s *session) watch(ctx context.Context) error {
	until, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	for _, id := range s.watched() {
		s.of(id, func(c *claim) { c.connect(time.Now()) })
		prefix := s.config.BaseTopic + "/" + id + "/"
		err := s.conn.Subscribe(until, prefix+"info", 1, s.hearInfo(id))
		if err == nil {
			err = s.conn.Subscribe(until, prefix+"telegram", 0, s.hearTelegram(id)) // one that is lost is followed by others
		}
		if err != nil && !s.ended(ctx) {
			s.warnUnchecked(err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.settle(ctx)
	return nil
}

// watched are the meters that are configured, and those that were.
func (s *session) watched() (ids []string) {
	for _, m := range s.feed.Meters() {
		ids = append(ids, m.ID)
	}
	for i := range s.gone {
		ids = append(ids, s.gone[i].id)
	}
	return ids
}

// settle waits until the descriptions and the status that the broker holds are heard, or it is silent.
func (s *session) settle(ctx context.Context) {
	limit := time.After(echoWait)
	for over := false; !over && !s.toldAll(); {
		select {
		case <-s.wake:
			continue
		case <-time.After(settled):
		case <-limit:
		case <-s.conn.Lost():
		case <-ctx.Done():
		}
		over = true
	}
	s.mu.Lock()
	alive := s.wasOnline || s.conflict.Noted() // a client of the same id is another bridge that lives
	s.mu.Unlock()
	for _, id := range s.watched() {
		s.of(id, func(c *claim) { c.alive = c.alive || alive })
	}
	s.awake()
}

// toldAll tells that the broker has told the status, and its description of every meter.
func (s *session) toldAll() bool {
	s.mu.Lock()
	all := s.statusHeard
	s.mu.Unlock()
	for _, id := range s.watched() {
		all = all && s.see(id).described
	}
	return all
}

// leaveToOthers forgets the meters that are not configured any more and that another bridge publishes: they are not taken back.
func (s *session) leaveToOthers() {
	kept := s.gone[:0]
	for _, h := range s.gone {
		if c := s.see(h.id); c.holder != "" || c.unmarked && c.alive {
			s.devices.set(h.id, device{})
			continue
		}
		kept = append(kept, h)
	}
	s.gone = kept
}

// echoWait is how long a message may take to the broker and back.
const echoWait = 2 * time.Second

// takeClaims publishes the descriptions of meters that speak and that this bridge is to publish, and returns when it is known that no
// other bridge was quicker. Their counters must not be published before.
func (s *session) takeClaims(ctx context.Context, news []bridge.News) error {
	var taken []*meter
	for i := range news {
		n := &news[i]
		m := s.meter(n.Meter)
		if n.About.Protocol == "" || m.first {
			continue
		}
		m.about, m.interval = n.About, n.Stats.Interval
		m.hold(n.Values)
		if m.second || s.decideCounters(ctx, m) != publish { // who was second begins with what the broker holds
			s.awake()
			continue
		}
		if !s.take(m) {
			taken = append(taken, m)
		}
		if err := s.info(m); err != nil {
			return err
		}
	}
	if err := s.awaitEchoes(taken); err != nil {
		return err
	}
	for _, m := range taken { // the time in which others may have been quicker is over
		s.of(m.ID, func(c *claim) {
			m.first = c.first || c.claiming
			c.first, c.claiming = m.first, false
		})
	}
	s.awake()
	return nil
}

// take begins a claim, and tells if it goes on from before.
func (s *session) take(m *meter) (known bool) {
	m.first, m.described, m.held = true, true, nil
	s.of(m.ID, func(c *claim) {
		if known = c.first; !known {
			c.claiming, c.began = true, time.Now().UTC().Truncate(time.Millisecond)
		}
	})
	return known
}

var errNotHeard = errors.New("mqtt: what this bridge publishes does not come back to it")

// awaitEchoes waits until the descriptions have come back, and as long again for those of others that were published at the same time. The end of
// the program does not shorten that: counters that are published too early stay in a hub for ever.
func (s *session) awaitEchoes(taken []*meter) error {
	if len(taken) == 0 || s.unchecked {
		return nil
	}
	began := time.Now()
	for limit := time.After(echoWait); !s.echoed(taken); {
		select {
		case <-s.wake:
		case <-limit:
			s.warnUnchecked(errNotHeard)
			return nil
		case <-s.conn.Lost():
			return s.conn.Err()
		}
	}
	wait := settled + time.Since(began)
	if !s.conn.Retains() { // the broker cannot tell who published the meter before: whoever does must have the time to answer
		wait = echoWait
	}
	select {
	case <-time.After(wait):
		return nil
	case <-s.conn.Lost():
		return s.conn.Err()
	}
}

// echoed tells if all have come back, or are another's.
func (s *session) echoed(taken []*meter) bool {
	for _, m := range taken {
		if c := s.see(m.ID); c.claiming && !c.echoed {
			return false
		}
	}
	return true
}

// warnUnchecked notes that nothing is heard of other bridges on this connection, which the log says once.
func (s *session) warnUnchecked(err error) {
	s.unchecked = true
	if s.once("unchecked") {
		s.log.Warn().Err(err).Msg("cannot read the topics of these meters: whether another bridge uses the same meters.id is not checked " +
			"(allow this user to read " + s.config.valueFilter() + ")")
	}
}
