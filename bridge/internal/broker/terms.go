package broker

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// Terms is what a broker takes and what it does not, as far as it says so or was found out, over connections: give the same Terms to
// every Config of a client. In MQTT 3.1.1 a broker ends the connection at what it does not take, without a word: so after one that
// ended while messages were under way, the broker is asked and tried before the next. The zero value is ready; it is safe for
// concurrent use.
type Terms struct {
	mu        sync.Mutex
	known     terms
	suspect   *underWay // what was under way when the other side ended the last connection; nil if nothing was
	failures  int       // connections in a row, beside one that lived on, that ended at the same single message
	oversized map[string]oversizedCount
}

// terms are valid for one connection and never changed.
type terms struct {
	limits
	cut     int             // bytes of the smallest packet at which the broker ended a connection; 0 for none
	dropped int             // bytes of the smallest packet that it took and delivered to nobody; 0 for none
	refused map[string]bool // topics at whose messages it did, whatever their size
}

// maxFailures is how many connections one message may cost.
const maxFailures = 2

// snapshot is what is known now, and the topic of the message that is suspected.
func (t *Terms) snapshot() (known terms, suspect string, careful bool) {
	if t == nil {
		return terms{}, "", false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.suspect == nil {
		return t.known, "", false
	}
	return t.known, t.suspect.oldest.topic, true
}

// lost is told what was under way when the other side ended a connection, how long that had lived, and whether the broker went on.
func (t *Terms) lost(u underWay, lived time.Duration, alive bool) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.n == 0 {
		if t.suspect, t.failures = nil, 0; lived > shortLife { // it may have been started anew with other limits
			t.known.cut, t.known.dropped, t.known.refused = 0, 0, nil
		}
		return
	}
	if t.suspect == nil || u.n > 1 || !alive || u.oldest.topic != t.suspect.oldest.topic {
		t.failures = 0
	}
	if u.n == 1 && alive {
		t.failures++
	}
	t.suspect = &u
	if t.failures < maxFailures {
		return
	}
	refused := map[string]bool{u.oldest.topic: true}
	maps.Copy(refused, t.known.refused)
	t.known.refused, t.suspect, t.failures = refused, nil, 0
}

// clearSuspect is told that the broker has taken the message that was suspected.
func (t *Terms) clearSuspect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suspect, t.failures = nil, 0
}

// examine finds out what the broker takes where there is reason to, before a connection is made. It changes nothing where the broker
// cannot be reached.
func (t *Terms) examine(ctx context.Context, p place) {
	if t == nil {
		return
	}
	t.mu.Lock()
	known, suspect := t.known, t.suspect
	t.mu.Unlock()
	if suspect == nil && known.limits == (limits{}) {
		return
	}
	l, err := p.ask(ctx)
	switch {
	case err == nil:
		t.learn(func(known *terms) { // it may have been given other limits meanwhile
			if known.limits = l; l.most > 0 {
				known.cut = 0
			}
		})
	case !ended(err) && !errors.Is(err, errNoLimits):
		return // it is not there
	}
	if known, _, suspected := t.snapshot(); !suspected || known.tooLarge(suspect.largest.size) {
		return
	}
	found := p.tryOut(ctx, suspect.retained && !known.noRetain, suspect.largest.size)
	t.learn(func(known *terms) {
		known.noRetain = known.noRetain || found.noRetain
		if found.cut > 0 {
			known.cut = found.cut
		}
	})
}

// learn takes over what was found out. What that explains is suspected no longer.
func (t *Terms) learn(change func(*terms)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.known)
	if u := t.suspect; u != nil && (t.known.tooLarge(u.largest.size) || t.known.noRetain && u.retained) {
		t.suspect, t.failures = nil, 0
	}
}

// tooLarge tells if the broker is known not to take packets of so many bytes.
func (t *terms) tooLarge(size int) bool {
	return t.most > 0 && size > t.most || t.cut > 0 && size >= t.cut
}

// smallPacket is a size in bytes that no limit is below.
const smallPacket = 256

// tryOut publishes where nobody listens, on a connection for each question, at a broker that does not say what it takes.
func (p place) tryOut(ctx context.Context, retain bool, size int) (found terms) {
	if p.Spare == "" || !p.takes(ctx, Message{Topic: p.Spare, QoS: 1}) {
		return found
	}
	if retain && !p.takes(ctx, Message{Topic: p.Spare, QoS: 1, Retain: true}) {
		found.noRetain = true
	}
	large := Message{Topic: p.Spare, QoS: 1}
	large.Payload = make([]byte, max(size-packetSize(&large), 0))
	if size > smallPacket && !p.takes(ctx, large) {
		found.cut = size
	}
	return found
}

// takes publishes one message on a connection of its own and tells if the broker took it: false if it ended the connection, true also where
// that cannot be told.
func (p place) takes(ctx context.Context, m Message) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	p.Will, p.Terms, p.Conflict = Message{}, nil, nil
	p.ClientID += "-try"
	conn, err := p.dial(ctx)
	if err != nil {
		return true
	}
	if err = conn.Publish(m); err == nil {
		err = conn.Flush(ctx)
	}
	_ = conn.Close(ctx)
	return !errors.As(err, new(hungUp))
}

// withoutRetain finds out, after a login that was not answered, whether it was refused for the sake of its retained will.
func (t *Terms) withoutRetain(ctx context.Context, p place) bool {
	if t == nil || !p.Will.Retain {
		return false
	}
	if known, _, _ := t.snapshot(); known.noRetain {
		return false
	}
	l, err := p.ask(ctx)
	if err != nil {
		// Let in without, and not with it a moment later: it was not a broker that had just started.
		l.noRetain = p.letsIn(ctx, false) && !p.letsIn(ctx, true)
	}
	if l.noRetain {
		t.learn(func(known *terms) { known.limits = l })
	}
	return l.noRetain
}

// letsIn tells if the broker lets in somebody with a will that is retained or not.
func (p place) letsIn(ctx context.Context, retain bool) bool {
	p.Terms, p.Conflict = nil, nil
	p.ClientID += "-try"
	p.Will = Message{Topic: p.Spare, QoS: 1, Retain: retain}
	if p.Spare == "" {
		return false
	}
	conn, err := p.dial(ctx)
	if err != nil {
		return false
	}
	_ = conn.Close(ctx)
	return true
}

// packetSize is how many bytes a PUBLISH has (MQTT 3.1.1, 3.3).
func packetSize(m *Message) int {
	body := 2 + len(m.Topic) + len(m.Payload)
	if m.QoS > 0 {
		body += 2
	}
	size := 2 + body
	for length := body >> 7; length > 0; length >>= 7 {
		size++
	}
	return size
}
