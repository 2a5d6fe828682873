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
	ring     []sent
	first, n int
	progress time.Time   // when an acknowledgement was last seen
	offered  messageInfo // passed to paho and not yet in ring; its size is 0 if there is none
	qos0     underWay    // the messages of QoS 0 that were sent within qos0Window of each other
	qos0At   time.Time   // when the last of them was sent
}

// qos0Window is how long after a message of QoS 0 the end of the connection may have been caused by that message.
const qos0Window = time.Second

type sent struct {
	token mqtt.Token
	at    time.Time
	messageInfo
}

// A messageInfo is what is remembered of a message that is under way.
type messageInfo struct {
	topic  string
	size   int // bytes of the packet
	retain bool
	qos0   bool // no acknowledgement is wanted
}

// underWay is what a broker has not acknowledged.
type underWay struct {
	n        int
	oldest   messageInfo
	largest  messageInfo
	retained bool // one of them is to be kept
	guess    bool // all are of QoS 0: whether the broker has them is not known
}

func (w *window) full() bool   { return w.n == len(w.ring) }
func (w *window) oldest() sent { return w.ring[w.first] }

// offer notes a message that is about to be handed over.
func (w *window) offer(p messageInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offered = p
}

// push notes that the message that was offered has been handed over.
func (w *window) push(t mqtt.Token, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.offered
	w.offered = messageInfo{}
	w.ring[(w.first+w.n)%len(w.ring)] = sent{t, at, p}
	w.n++
	if p.qos0 {
		if at.Sub(w.qos0At) > qos0Window {
			w.qos0 = underWay{}
		}
		w.qos0.add(p)
		w.qos0At = at
	}
}

func (w *window) drop(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ring[w.first] = sent{}
	w.first = (w.first + 1) % len(w.ring)
	w.n--
	w.progress = at
}

// underWay may be called from any goroutine.
func (w *window) underWay() (u underWay) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.n {
		m := &w.ring[(w.first+i)%len(w.ring)]
		select {
		case <-m.token.Done():
			continue
		default:
		}
		u.add(m.messageInfo)
	}
	if w.offered.size > 0 {
		u.add(w.offered)
	}
	if w.qos0.n > 0 && time.Since(w.qos0At) < qos0Window {
		u.guess = u.n == 0
		u.add(w.qos0.largest)
		u.n++ // counts as two, since a single message under way would be taken for the cause
		u.retained = u.retained || w.qos0.retained
	}
	return u
}

func (u *underWay) add(p messageInfo) {
	if u.n++; u.n == 1 {
		u.oldest = p
	}
	if p.size > u.largest.size {
		u.largest = p
	}
	u.retained = u.retained || p.retain
}

// since is from when on the broker owes an acknowledgement. The window must not be empty.
func (w *window) since() time.Time {
	if at := w.oldest().at; at.After(w.progress) {
		return at
	}
	return w.progress
}
