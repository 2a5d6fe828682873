package mqtt

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// claims are those of all meters. The session and the connection's goroutines share them.
type claims struct {
	mark     string // of this run
	tail     []byte // of each telegram of this run
	derived  string // that of every run with this client id, where there is no state
	instance *bridge.Instance
	// patience is how long another may be silent at least before it is taken for gone.
	patience  time.Duration
	unchecked bool          // nothing is heard of others on this connection
	changed   chan struct{} // something was heard

	mu  sync.Mutex
	all map[string]*claim
}

// leastPatience is longer than the usual six intervals of a meter.
const leastPatience = time.Minute

func newClaims(clientID string, instance *bridge.Instance, patience time.Duration) *claims {
	c := &claims{
		derived: markOf(clientID), instance: instance, patience: patience, changed: make(chan struct{}, 1), all: map[string]*claim{},
	}
	c.mark = cmp.Or(instance.Mark(), c.derived)
	c.tail = []byte(`,"instance":"` + c.mark + `"}`)
	return c
}

// markOf is the mark of a bridge without a state. A broker has no two clients of one id at a time.
func markOf(clientID string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(clientID)) // a hash never fails
	return fmt.Sprintf("client-%016x", h.Sum64())
}

func (c *claims) own(mark string) bool {
	return mark == c.mark || mark == c.derived || c.instance.Own(mark)
}

// of runs f with the claim of a meter.
func (c *claims) of(meter string, f func(*claim)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.all[meter]
	if one == nil {
		one = &claim{mark: c.mark, unknown: c.instance == nil}
		c.all[meter] = one
	}
	f(one)
}

// see returns a copy of a claim.
func (c *claims) see(meter string) (now claim) {
	c.of(meter, func(one *claim) { now = *one })
	return now
}

func (c *claims) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// hearInfo returns what takes the descriptions of a meter.
func (c *claims) hearInfo(meter string) func(broker.Message) {
	return func(m broker.Message) {
		d := parseJSON[description](m.Payload)
		c.of(meter, func(one *claim) {
			echo := !m.Retain && d.Instance == c.mark
			one.info(m.Payload, m.Retain, d.Instance != "" && c.own(d.Instance), echo, d, time.Now())
			one.described = one.described || m.Retain
		})
		c.wake()
	}
}

// hearTelegram returns what takes the telegrams of a meter. Those of this bridge come back too, also late, and twice where something
// mirrors them; what is retained was sent at any time.
func (c *claims) hearTelegram(meter string) func(broker.Message) {
	return func(m broker.Message) {
		if m.Retain || len(m.Payload) == 0 {
			return
		}
		if bytes.HasSuffix(m.Payload, c.tail) {
			return
		}
		s := parseJSON[sender](m.Payload)
		if s.Instance != "" && c.own(s.Instance) {
			return
		}
		c.of(meter, func(one *claim) { one.telegram(s.Instance, s.Counters == withheld, time.Now()) })
		c.wake()
	}
}

// watch subscribes to what others may publish of the meters, and returns when the broker has told what it holds.
func (s *session) watch(ctx context.Context) error {
	until, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	s.claims.unchecked = false
	for _, id := range s.watched() {
		s.claims.of(id, func(c *claim) { c.connect(time.Now()) })
		prefix := s.config.BaseTopic + "/" + id + "/"
		err := s.conn.Subscribe(until, prefix+"info", 1, s.claims.hearInfo(id))
		if err == nil {
			err = s.conn.Subscribe(until, prefix+"telegram", 0, s.claims.hearTelegram(id)) // one that is lost is followed by others
		}
		if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
			return err
		}
		if err != nil {
			s.warnUnchecked(err)
			return nil
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
	silence := time.NewTimer(settled)
	defer silence.Stop()
	for limit := time.Now().Add(echoWait); (!s.statusHeard.Load() || !s.described()) && time.Now().Before(limit); {
		select {
		case <-s.claims.changed:
			silence.Reset(settled)
			continue
		case <-silence.C:
		case <-s.conn.Lost():
		case <-ctx.Done():
		}
		break
	}
	if s.wasOnline.Load() || s.conflict.Noted() { // a client of the same id is another bridge that lives
		for _, id := range s.watched() {
			s.claims.of(id, func(c *claim) { c.alive = true })
		}
	}
	s.claims.wake()
}

// described tells that the broker has told its description of every meter.
func (s *session) described() bool {
	for _, id := range s.watched() {
		if !s.claims.see(id).described {
			return false
		}
	}
	return true
}

// leaveToOthers forgets the meters that are not configured any more and that another bridge publishes: they are not taken back.
func (s *session) leaveToOthers() {
	kept := s.gone[:0]
	for _, h := range s.gone {
		if c := s.claims.see(h.id); c.holder != "" || c.unmarked && c.alive {
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
			s.claims.wake()
			continue
		}
		if !s.take(m) {
			taken = append(taken, m)
		}
		if err := s.info(m); err != nil {
			return err
		}
	}
	if len(taken) == 0 || s.claims.unchecked {
		s.taken(taken)
		return nil
	}
	if err := s.awaitEchoes(taken); err != nil {
		return err
	}
	s.taken(taken)
	return nil
}

// take begins a claim, and tells if it goes on from before.
func (s *session) take(m *meter) (known bool) {
	m.first, m.described, m.held = true, true, nil
	s.claims.of(m.ID, func(c *claim) {
		if known = c.first; !known {
			c.claiming, c.began = true, time.Now().UTC().Truncate(time.Millisecond)
		}
	})
	return known
}

// taken ends the time in which others may have been quicker.
func (s *session) taken(all []*meter) {
	for _, m := range all {
		s.claims.of(m.ID, func(c *claim) {
			m.first = c.first || c.claiming
			c.first, c.claiming = m.first, false
		})
	}
	s.claims.wake()
}

// awaitEchoes waits until the descriptions have come back, and as long again for those of others that were published at the same time. The end of
// the program does not shorten that: counters that are published too early stay in a hub for ever.
func (s *session) awaitEchoes(taken []*meter) error {
	began := time.Now()
	limit := time.NewTimer(echoWait)
	defer limit.Stop()
	for !s.echoed(taken) {
		select {
		case <-s.claims.changed:
		case <-limit.C:
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
	limit.Reset(wait)
	select {
	case <-limit.C:
	case <-s.conn.Lost():
		return s.conn.Err()
	}
	return nil
}

// echoed tells if all have come back, or are another's.
func (s *session) echoed(taken []*meter) bool {
	for _, m := range taken {
		if c := s.claims.see(m.ID); c.claiming && !c.echoed {
			return false
		}
	}
	return true
}
