package broker

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A window holds the messages in flight, oldest first. A broker acknowledges messages in the order in which it received them (MQTT 3.1.1,
// section 4.6), so the sender waits only for the oldest message.
type window struct {
	mu         sync.Mutex // guards the fields below; the publishing goroutine reads without mu the fields that only it changes
	queue      []inFlightMessage
	head       int            // the index of the oldest message in queue; the messages before it were removed
	accepted   uint64         // the number of messages that paho has accepted
	removed    uint64         // the number of messages that were removed because they were done
	recentQoS0 messageSummary // the last QoS 0 messages, each sent within qos0Window after the previous message
	lastQoS0   time.Time      // when the last QoS 0 message was sent
	ackTimer   *time.Timer    // calls checkAckTimeout; nil until the first message
	timerRuns  bool           // ackTimer will call checkAckTimeout
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

// tokenDone reports whether the message was acknowledged (QoS 1), was written to the send buffer (QoS 0), or has failed.
func (m *inFlightMessage) tokenDone() bool {
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

// inFlight returns the messages in the window.
func (w *window) inFlight() []inFlightMessage { return w.queue[w.head:] }

// oldest returns the oldest message. The window must not be empty.
func (w *window) oldest() *inFlightMessage { return &w.queue[w.head] }

// push adds a message that is about to be passed to paho.
func (w *window) push(m inFlightMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == cap(w.queue) && w.head >= len(w.queue)/2 { // the beginning of the array is used again
		n := copy(w.queue, w.inFlight())
		clear(w.queue[n:])
		w.queue, w.head = w.queue[:n], 0
	}
	w.queue = append(w.queue, m)
}

// setToken stores the token of the newest message, which paho has accepted.
func (w *window) setToken(token mqtt.Token) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &w.queue[len(w.queue)-1]
	m.token, m.sentAt = token, time.Now()
	w.accepted++
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
	*w.oldest() = inFlightMessage{} // so that the token can be freed
	w.head++
	w.removed++
	if w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	}
}

// untilAckTimeout returns how long the broker may still take to acknowledge a message, and starts ackTimer again with this duration if it is
// positive. AckTimeout counts from the later of two times: when the oldest message that is not done was published, and progressAt. unsent is
// true if that message is not among the first sent messages, and so not yet written to the network. If no message is in flight, the timer is
// not started and wait is timeout. It is safe for concurrent use.
func (w *window) untilAckTimeout(sent uint64, progressAt time.Time, timeout time.Duration) (wait time.Duration, unsent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.inFlight(), func(m inFlightMessage) bool { return !m.tokenDone() })
	if w.timerRuns = i >= 0; !w.timerRuns {
		return timeout, false
	}
	since := w.inFlight()[i].sentAt
	if progressAt.After(since) {
		since = progressAt
	}
	wait = time.Until(since.Add(timeout))
	if unsent = w.removed+uint64(i) >= sent; unsent {
		wait = timeout
	}
	if wait > 0 {
		w.ackTimer.Reset(wait)
	}
	return wait, unsent
}

// stopAckTimer stops ackTimer, because the connection has ended. It is safe for concurrent use.
func (w *window) stopAckTimer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ackTimer != nil {
		w.ackTimer.Stop()
	}
}

// unacknowledged summarizes the messages that the broker has possibly not received: those in the window that are not done, and the recent QoS 0
// messages. It leaves out the messages after the first begun messages, because they did not reach the network. It is safe for concurrent use.
func (w *window) unacknowledged(begun uint64) (u messageSummary) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.inFlight() {
		if m := &w.inFlight()[i]; w.removed+uint64(i) < begun && !m.tokenDone() {
			u.add(m)
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
