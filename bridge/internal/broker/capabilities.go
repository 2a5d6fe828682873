package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Capabilities is what a broker takes and what it does not, as far as it says so or was found out, over connections: give the same Capabilities to
// every Config of a client. In MQTT 3.1.1 a broker ends the connection at what it does not take, without a word: so after one that
// ended while messages were under way, the broker is asked and tried before the next. The zero value is ready; it is safe for
// concurrent use.
type Capabilities struct {
	mu       sync.Mutex
	known    capabilities
	suspect  *underWay // what was under way when the other side ended the last connection; nil if nothing was
	failures int       // connections in a row, beside one that lived on, that ended at the same single message
}

// capabilities are valid for one connection and never changed.
type capabilities struct {
	limits
	found   int             // bytes of the smallest packet that the broker was found not to take; 0 for none
	how     string          // what it did at that one: hangsUp or loses
	refused map[string]bool // topics at whose messages it did, whatever their size
}

// tooLarge tells if the broker is known not to take packets of so many bytes.
func (t *capabilities) tooLarge(size int) bool {
	return t.most > 0 && size > t.most || t.found > 0 && size >= t.found
}

// maxFailures is how many connections one message may cost.
const maxFailures = 2

// snapshot is what is known now, and the topic of the message that is suspected.
func (t *Capabilities) snapshot() (known capabilities, suspect string, careful bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.suspect == nil {
		return t.known, "", false
	}
	return t.known, t.suspect.oldest.topic, true
}

// lost is told what was under way when the other side ended a connection, how long that had lived, and whether the broker went on.
func (t *Capabilities) lost(u underWay, lived time.Duration, alive bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.n == 0 {
		if t.suspect, t.failures = nil, 0; lived > shortLife { // it may have been started anew with other limits
			t.known = capabilities{limits: t.known.limits}
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
func (t *Capabilities) clearSuspect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suspect, t.failures = nil, 0
}

// learn takes over what was found out. What that explains is suspected no longer.
func (t *Capabilities) learn(change func(*capabilities)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.known)
	if u := t.suspect; u != nil && (t.known.tooLarge(u.largest.size) || t.known.noRetain && u.retained) {
		t.suspect, t.failures = nil, 0
	}
}

// examine finds out what the broker takes where there is reason to, before a connection is made. It changes nothing where the broker
// cannot be reached.
func (t *Capabilities) examine(ctx context.Context, p endpoint) {
	t.mu.Lock()
	known, suspect := t.known, t.suspect
	t.mu.Unlock()
	if suspect == nil && known.limits == (limits{}) {
		return
	}
	l, err := p.ask(ctx)
	switch {
	case err == nil: // it may have been given other limits meanwhile
		t.learn(func(known *capabilities) {
			if known.limits = l; l.most > 0 && known.how == hangsUp { // what it loses is for a limit that it does not state
				known.found = 0
			}
		})
	case !ended(err) && !errors.Is(err, errNoLimits):
		return // it is not there
	}
	if known, _, suspected := t.snapshot(); suspected {
		p.tryOut(ctx, suspect.retained && !known.noRetain, suspect.largest.size)
	}
}

// smallPacket is a size in bytes that no limit is below.
const smallPacket = 256

// tryOut publishes where nobody listens, on a connection for each question, at a broker that does not say what it takes.
func (p endpoint) tryOut(ctx context.Context, retain bool, size int) {
	m := Message{Topic: p.TestTopic, QoS: 1}
	if p.TestTopic == "" || !p.takes(ctx, m) {
		return
	}
	large := m
	large.Payload = make([]byte, max(size-packetSize(&m), 0))
	m.Retain = true
	noRetain := retain && !p.takes(ctx, m)
	cut := size > smallPacket && !p.takes(ctx, large)
	p.Capabilities.learn(func(known *capabilities) {
		known.noRetain = known.noRetain || noRetain
		if cut {
			known.found, known.how = size, hangsUp
		}
	})
}

// takes publishes one message on a connection of its own and tells if the broker took it: false if it ended the connection, true also where
// that cannot be told.
func (p endpoint) takes(ctx context.Context, m Message) bool {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := p.beside("-try").once(ctx)
	if err != nil {
		return true
	}
	err = conn.Publish(m)
	return !errors.As(errors.Join(err, conn.Close(ctx)), new(hungUp))
}

// withoutRetain finds out, after a login that was not answered, whether it was refused for the sake of its retained will.
func (t *Capabilities) withoutRetain(ctx context.Context, p endpoint) bool {
	if known, _, _ := t.snapshot(); known.noRetain || !p.Will.Retain {
		return false
	}
	l, err := p.ask(ctx)
	if err != nil && p.TestTopic != "" {
		// Let in without, and not with it a moment later: it was not a broker that had just started.
		l.noRetain = p.letsIn(ctx, false) && !p.letsIn(ctx, true)
	}
	if l.noRetain {
		t.learn(func(known *capabilities) { known.limits = l })
	}
	return l.noRetain
}

// letsIn tells if the broker lets in somebody with a will that is retained or not.
func (p endpoint) letsIn(ctx context.Context, retain bool) bool {
	p = p.beside("-try")
	p.Will = Message{Topic: p.TestTopic, QoS: 1, Retain: retain}
	conn, err := p.once(ctx)
	if err != nil {
		return false
	}
	_ = conn.Close(ctx)
	return true
}

// A RefusedError says that this broker does not take a message, which was therefore not sent. The connection is not touched by it.
type RefusedError struct {
	Host, Topic string
	Size        int    // bytes of the packet
	how         string // what the broker does at packets of limit bytes; "" if it is not for the size
	limit       int
}

func (e *RefusedError) Error() string {
	if e.how == "" {
		return fmt.Sprintf("mqtt: %s ends the connection whenever something is published under %s (%d bytes): may this user publish there? "+
			"Look at the broker's access rules and its log", e.Host, e.Topic, e.Size)
	}
	room := 1 << 15 // for a whole device, whatever message was refused: a person is to set one number once
	for room < 2*e.Size {
		room *= 2
	}
	return fmt.Sprintf("mqtt: %s %s, and %s needs %d: raise the broker's limit (Mosquitto: max_packet_size %d in mosquitto.conf, "+
		"message_size_limit too where it is set, then restart it)", e.Host, fmt.Sprintf(e.how, e.limit), e.Topic, e.Size, room)
}

// What a broker does at a packet of so many bytes.
const (
	tellsLimit = "takes packets of %d bytes at most"
	hangsUp    = "ends the connection at a packet of %d bytes, its limit must be smaller"
	loses      = "acknowledges packets of %d bytes and does not deliver them; its limit must be smaller"
)

// CheckMessage returns a *RefusedError for a message that this broker is known not to take, else nil.
func (c *Conn) CheckMessage(m Message) error {
	known := &c.known
	e := &RefusedError{Host: c.to.host, Topic: m.Topic, Size: packetSize(&m)}
	switch {
	case known.most > 0 && e.Size > known.most:
		e.how, e.limit = tellsLimit, known.most
	case known.found > 0 && e.Size >= known.found:
		e.how, e.limit = known.how, known.found
	case !known.refused[m.Topic]:
		return nil
	}
	return e
}

// DropsSilently finds out if the broker acknowledges packets of a size in bytes and delivers them to nobody, as Mosquitto does above its
// message_size_limit: it publishes such a one, and a small one, under Config.TestTopic on connections of their own, which takes some seconds at
// most. This connection and Config.Capabilities remember it.
func (c *Conn) DropsSilently(ctx context.Context, size int) bool {
	p := c.to.beside("-try")
	large, err := p.trySize(ctx, p.TestTopic, size)
	if err != nil || large == nil || large.how != loses {
		return false
	}
	if small, err := p.trySize(ctx, p.TestTopic, smallPacket); err != nil || small != nil {
		return false // it is not for the size
	}
	learn := func(known *capabilities) { known.found, known.how = size, loses }
	learn(&c.known)
	c.to.Capabilities.learn(learn)
	return true
}

// RetainAvailable tells if the broker keeps retained messages, as far as is known. Where it does not, messages are published all the same, and are
// not kept.
func (c *Conn) RetainAvailable() bool { return !c.known.noRetain }

// packetSize is how many bytes a PUBLISH has (MQTT 3.1.1, 3.3).
func packetSize(m *Message) int {
	body := 2 + len(m.Topic) + len(m.Payload)
	if m.QoS > 0 {
		body += 2
	}
	return len(binary.AppendUvarint([]byte{0}, uint64(body))) + body
}
