package broker

import (
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A window holds the messages under way, oldest first. A broker acknowledges in the order it received (MQTT 3.1.1, 4.6.0-2), so
// that only the oldest needs to be looked at.
type window struct {
	mu       sync.Mutex // while it changes, and for underWay; else it belongs to whoever publishes
	queue    []sent
	progress time.Time // when an acknowledgement was last seen
	qos0     underWay  // the messages of QoS 0 that were sent within qos0Window of each other
	qos0At   time.Time // when the last of them was sent
}

// qos0Window is how long after a message of QoS 0 the end of the connection may have been caused by that message.
const qos0Window = time.Second

// A sent message. Its token is nil until the client has taken it.
type sent struct {
	token  mqtt.Token
	at     time.Time
	topic  string
	size   int // bytes of the packet
	retain bool
	qos0   bool // no acknowledgement is wanted
}

func (m *sent) done() bool {
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

// underWay is what a broker has not acknowledged.
type underWay struct {
	n        int
	oldest   sent
	largest  sent
	retained bool // one of them is to be kept
	guess    bool // all are of QoS 0: whether the broker has them is not known
}

func (w *window) oldest() *sent { return &w.queue[0] }

// push notes a message that is about to be given to the client.
func (w *window) push(m sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, m)
}

// taken notes that the client has taken the youngest message.
func (w *window) taken(token mqtt.Token) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &w.queue[len(w.queue)-1]
	m.token, m.at = token, time.Now()
	if m.qos0 {
		if m.at.Sub(w.qos0At) > qos0Window {
			w.qos0 = underWay{}
		}
		w.qos0.add(m)
		w.qos0At = m.at
	}
}

// drop takes out the oldest message, which is acknowledged.
func (w *window) drop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue, w.progress = w.queue[1:], time.Now()
}

// underWay may be called from any goroutine.
func (w *window) underWay() (u underWay) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.queue {
		if !w.queue[i].done() {
			u.add(&w.queue[i])
		}
	}
	if w.qos0.n > 0 && time.Since(w.qos0At) < qos0Window {
		u.guess = u.n == 0
		u.add(&w.qos0.largest)
		u.n++ // counts as two, since a single message under way would be taken for the cause
		u.retained = u.retained || w.qos0.retained
	}
	return u
}

func (u *underWay) add(m *sent) {
	if u.n++; u.n == 1 {
		u.oldest = *m
	}
	if m.size > u.largest.size {
		u.largest = *m
	}
	u.retained = u.retained || m.retain
}
