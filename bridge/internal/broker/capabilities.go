package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Capabilities remembers, from one connection to the next, which messages a broker accepts. Set the same Capabilities in every Config of a client. With
// MQTT 3.1.1 a broker closes the connection at a message that it does not accept, and gives no reason. Therefore, if a connection ended
// while messages were in flight, the next Dial first opens additional connections, on which it determines the limits of the broker. The zero value is ready
// to use. Capabilities is safe for concurrent use.
type Capabilities struct {
	mu      sync.Mutex
	current knownCapabilities // the capabilities that are known at present
	suspect *messageSummary   // the messages in flight when the broker closed the last connection; nil if there were none
	// failures counts successive connections that the broker closed while only one message was in flight. The topic was the same each time,
	// and a second connection to the broker remained open.
	failures int
}

// knownCapabilities is what is known about a broker. Copies of it share refusedTopics, so this map is replaced and never changed.
type knownCapabilities struct {
	limits
	refusedSize   int             // the smallest packet that the broker did not accept, in bytes; 0 if there is none
	reaction      string          // how the broker reacts to a packet of refusedSize: closesConnection or dropsSilently
	refusedTopics map[string]bool // topics that the broker does not accept, whatever the size of the message
}

// tooLarge reports whether the broker is known not to accept packets of size bytes.
func (t *knownCapabilities) tooLarge(size int) bool {
	return (t.maxPacket > 0 && size > t.maxPacket) || (t.refusedSize > 0 && size >= t.refusedSize)
}

// failuresToRefuse is the number of successive failures of a topic (see Capabilities.failures) after which nothing is published under the topic.
const failuresToRefuse = 2

// snapshot returns what is known about the broker. suspectTopic is the topic of the oldest message in flight when the broker closed the
// last connection. suspected is true if there was such a message.
func (t *Capabilities) snapshot() (known knownCapabilities, suspectTopic string, suspected bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.suspect == nil {
		return t.current, "", false
	}
	return t.current, t.suspect.oldest.topic, true
}

// connectionLost records that the broker closed a connection that had existed for lifetime. unacked describes the messages that were then
// unacknowledged. brokerRuns is true if another connection shows that the broker still runs.
func (t *Capabilities) connectionLost(unacked messageSummary, lifetime time.Duration, brokerRuns bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if unacked.count == 0 {
		t.suspect, t.failures = nil, 0
		if lifetime > shortConnection { // the broker was possibly restarted with other settings
			t.current = knownCapabilities{limits: t.current.limits} // if there are limits, the next Dial asks the broker for its limits again
		}
		return
	}
	isFailure := unacked.count == 1 && brokerRuns
	sameTopic := t.suspect != nil && unacked.oldest.topic == t.suspect.oldest.topic
	if !isFailure || !sameTopic {
		t.failures = 0
	}
	if isFailure {
		t.failures++
	}
	t.suspect = &unacked
	if t.failures < failuresToRefuse {
		return
	}
	refused := map[string]bool{unacked.oldest.topic: true}
	maps.Copy(refused, t.current.refusedTopics)
	t.current.refusedTopics, t.suspect, t.failures = refused, nil, 0
}

// clearSuspect records that the broker has accepted the oldest message of suspect. The messages of suspect are then no longer suspected.
func (t *Capabilities) clearSuspect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.suspect, t.failures = nil, 0
}

// update changes the known capabilities. If these then explain the end of the last connection, suspect is cleared.
func (t *Capabilities) update(change func(*knownCapabilities)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.current)
	if suspect := t.suspect; suspect != nil && (t.current.tooLarge(suspect.largest.size) || (t.current.noRetain && suspect.retained)) {
		t.suspect, t.failures = nil, 0
	}
}

// examine determines the limits of the broker before a connection is made. It does this only if messages are suspected, or if the
// broker has stated limits before, because these possibly have changed. It changes nothing if the broker cannot be reached.
func (t *Capabilities) examine(ctx context.Context, p target) {
	t.mu.Lock()
	stated, suspect := t.current.limits, t.suspect
	t.mu.Unlock()
	if suspect == nil && stated == (limits{}) {
		return
	}
	l, err := p.queryLimits(ctx)
	switch {
	case err == nil:
		t.update(func(known *knownCapabilities) {
			known.limits = l
			if l.maxPacket > 0 && known.reaction == closesConnection {
				known.refusedSize = 0 // the stated limit replaces refusedSize
			}
		})
	case !isPeerClose(err) && !errors.Is(err, errNoLimits):
		return // the broker is not reachable
	}
	if known, _, suspected := t.snapshot(); suspected {
		p.probeLimits(ctx, suspect.retained && !known.noRetain, suspect.largest.size)
	}
}

// smallPacketSize is a size, in bytes, that every broker accepts.
const smallPacketSize = 256

// probeLimits determines the limits of a broker with test messages under TestTopic, each on a separate connection. The first message is small.
// Then it publishes a retained message if retain is true, and a packet of size bytes if size is above smallPacketSize.
func (p target) probeLimits(ctx context.Context, retain bool, size int) {
	small := Message{Topic: p.TestTopic, QoS: 1}
	if p.TestTopic == "" || !p.acceptsMessage(ctx, small) { // if a small message fails, other messages would show nothing
		return
	}
	retained, large := small, small
	retained.Retain, large.Payload = true, make([]byte, max(size-packetSize(&small), 0))
	noRetain := retain && !p.acceptsMessage(ctx, retained)
	tooLarge := size > smallPacketSize && !p.acceptsMessage(ctx, large)
	p.Capabilities.update(func(known *knownCapabilities) {
		known.noRetain = known.noRetain || noRetain
		if tooLarge {
			known.refusedSize, known.reaction = size, closesConnection
		}
	})
}

// acceptsMessage publishes m on a separate connection. It returns false if the broker closed that connection, and true otherwise. It also
// returns true if the connection could not be made.
func (p target) acceptsMessage(ctx context.Context, m Message) bool {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	conn, err := p.forSeparateConnection("-try").dialOnce(ctx)
	if err != nil {
		return true
	}
	err = conn.Publish(m)
	return !errors.As(errors.Join(err, conn.Close(ctx)), new(closedByPeer))
}

// refusesRetainedWill reports whether the broker refused a login because its will is retained.
func (t *Capabilities) refusesRetainedWill(ctx context.Context, p target) bool {
	if known, _, _ := t.snapshot(); known.noRetain || !p.Will.Retain {
		return false
	}
	l, err := p.queryLimits(ctx)
	if err != nil && p.TestTopic != "" {
		// The will of the first login is not retained. If only the second login fails, its retained will is the reason.
		l.noRetain = p.acceptsWill(ctx, false) && !p.acceptsWill(ctx, true)
	}
	if l.noRetain {
		t.update(func(known *knownCapabilities) { known.limits = l })
	}
	return l.noRetain
}

// acceptsWill reports whether the broker accepts a login with a will. retain is the retain flag of the will.
func (p target) acceptsWill(ctx context.Context, retain bool) bool {
	p = p.forSeparateConnection("-try")
	p.Will = Message{Topic: p.TestTopic, QoS: 1, Retain: retain}
	conn, err := p.dialOnce(ctx)
	if err != nil {
		return false
	}
	_ = conn.Close(ctx)
	return true
}

// A RefusedError reports a message that this broker is known not to accept. The message was not sent, and the connection remains usable.
type RefusedError struct {
	Host, Topic string
	Size        int    // the size of the packet, in bytes
	reaction    string // a format for limit: statesLimit, closesConnection or dropsSilently; "" if the topic is the reason
	limit       int    // the number of bytes that is inserted in reaction
}

func (e *RefusedError) Error() string {
	if e.reaction == "" {
		return fmt.Sprintf("mqtt: %s ends the connection whenever something is published under %s (%d bytes): is this user allowed to publish there? "+
			"Look at the broker's access rules and its log", e.Host, e.Topic, e.Size)
	}
	suggested := 1 << 15 // usually large enough for all announcements, so that the user sets the limit only once
	for suggested < 2*e.Size {
		suggested *= 2
	}
	return fmt.Sprintf("mqtt: %s %s, and %s needs %d: raise the broker's limit (Mosquitto: max_packet_size %d in mosquitto.conf, "+
		"also message_size_limit if the file sets it, then restart Mosquitto)", e.Host, fmt.Sprintf(e.reaction, e.limit), e.Topic, e.Size, suggested)
}

// The reactions of a broker to a packet that is too large. Each is a format for a size in bytes.
const (
	statesLimit      = "takes packets of %d bytes at most"
	closesConnection = "ends the connection at a packet of %d bytes; the broker's limit must be smaller"
	dropsSilently    = "acknowledges packets of %d bytes and does not deliver them; the broker's limit must be smaller"
)

// CheckMessage returns a *RefusedError if this broker is known not to accept m, and nil otherwise. It sends nothing.
func (c *Conn) CheckMessage(m Message) error {
	known, size := &c.known, packetSize(&m)
	if !known.tooLarge(size) && !known.refusedTopics[m.Topic] {
		return nil
	}
	e := &RefusedError{Host: c.target.host, Topic: m.Topic, Size: size}
	if known.maxPacket > 0 && size > known.maxPacket {
		e.reaction, e.limit = statesLimit, known.maxPacket
	} else if known.tooLarge(size) {
		e.reaction, e.limit = known.reaction, known.refusedSize
	}
	return e
}

// DropsSilently reports whether the broker acknowledges packets of size bytes without delivering them. Mosquitto does this above its
// message_size_limit. DropsSilently publishes a packet of that size and a small packet under Config.TestTopic, on separate connections. This
// takes a few seconds at most. A positive result is recorded in this connection and in Config.Capabilities.
func (c *Conn) DropsSilently(ctx context.Context, size int) bool {
	p := c.target.forSeparateConnection("-try")
	refusal, err := p.probeSize(ctx, p.TestTopic, size)
	if err != nil || refusal == nil || refusal.reaction != dropsSilently {
		return false
	}
	if refusal, err := p.probeSize(ctx, p.TestTopic, smallPacketSize); err != nil || refusal != nil {
		return false // small packets are refused too, so the size is not the reason
	}
	record := func(known *knownCapabilities) { known.refusedSize, known.reaction = size, dropsSilently }
	record(&c.known)
	c.target.Capabilities.update(record)
	return true
}

// RetainAvailable returns false if the broker is known not to support retained messages. Publish then sends every message without the retain
// flag.
func (c *Conn) RetainAvailable() bool { return !c.known.noRetain }
