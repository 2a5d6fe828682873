package broker

import (
	"encoding/binary"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A window holds the messages in flight, oldest first. A broker acknowledges messages in the order in which it received them (MQTT 3.1.1,
// section 4.6), so the sender waits only for the oldest message.
type window struct {
	mu         sync.Mutex // guards the fields below; only the publishing goroutine changes them, and it reads them without mu
	queue      []inFlightMessage
	lastAck    time.Time      // when the last message was removed because it was done
	recentQoS0 messageSummary // the last QoS 0 messages, each sent within qos0Window after the previous message
	lastQoS0   time.Time      // when the last QoS 0 message was sent
}

// qos0Window is how long a QoS 0 message counts as a possible cause of the end of the connection.
const qos0Window = time.Second

// An inFlightMessage is a message in the window. It is about to be sent, or was sent and was not done when it was last checked.
type inFlightMessage struct {
	token  mqtt.Token // nil until paho has accepted the message
	sentAt time.Time
	topic  string
	size   int // the size of the packet, in bytes
	retain bool
	qos0   bool // the message has QoS 0, so the broker does not acknowledge it
}

// done reports whether the message was acknowledged (QoS 1), was written to the network (QoS 0), or has failed.
func (m *inFlightMessage) done() bool {
	if m.token == nil {
		return false
	}
	select {
	case <-m.token.Done():
		return true
	default:
		return false
	}
}

// A messageSummary describes messages that the broker has possibly not received.
type messageSummary struct {
	// count is the number of messages. All recent QoS 0 messages together count as two. The reason is that connectionLost takes a message for
	// the cause only if count is one, and a QoS 0 message is never certain to be the cause.
	count    int
	oldest   inFlightMessage
	largest  inFlightMessage
	retained bool // at least one message has Retain set
	onlyQoS0 bool // all messages are recent QoS 0 messages, so it is not known whether the broker received them
}

// oldest returns the oldest message. The window must not be empty.
func (w *window) oldest() *inFlightMessage { return &w.queue[0] }

// push adds a message that is about to be passed to paho.
func (w *window) push(m inFlightMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, m)
}

// setToken stores the token of the newest message, which paho has accepted.
func (w *window) setToken(token mqtt.Token) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &w.queue[len(w.queue)-1]
	m.token, m.sentAt = token, time.Now()
	if m.qos0 {
		if m.sentAt.Sub(w.lastQoS0) > qos0Window {
			w.recentQoS0 = messageSummary{}
		}
		w.recentQoS0.add(m)
		w.lastQoS0 = m.sentAt
	}
}

// pop removes the oldest message, which is done.
func (w *window) pop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue, w.lastAck = w.queue[1:], time.Now()
}

// unacknowledged summarizes the messages that the broker has possibly not received: those in the queue that are not done, and the recent QoS 0
// messages. It is safe for concurrent use.
func (w *window) unacknowledged() (u messageSummary) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.queue {
		if !w.queue[i].done() {
			u.add(&w.queue[i])
		}
	}
	if w.recentQoS0.count > 0 && time.Since(w.lastQoS0) < qos0Window {
		u.onlyQoS0 = u.count == 0
		u.add(&w.recentQoS0.largest)
		u.count++ // see messageSummary.count
		u.retained = u.retained || w.recentQoS0.retained
	}
	return u
}

// add adds m to the summary.
func (u *messageSummary) add(m *inFlightMessage) {
	if u.count++; u.count == 1 {
		u.oldest = *m
	}
	if m.size > u.largest.size {
		u.largest = *m
	}
	u.retained = u.retained || m.retain
}

// packetSize returns the size of the PUBLISH packet of m in bytes (MQTT 3.1.1, 3.3).
func packetSize(m *Message) int {
	body := 2 + len(m.Topic) + len(m.Payload)
	if m.QoS > 0 {
		body += 2
	}
	return len(binary.AppendUvarint([]byte{0}, uint64(body))) + body
}
