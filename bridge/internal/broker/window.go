package broker

import (
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A window holds the messages under way, oldest first. A broker acknowledges in the order it received (MQTT 3.1.1, 4.6.0-2), so
// that only the oldest needs to be looked at.
type window struct {
	ring     []sent
	first, n int
	progress time.Time // when an acknowledgement was last seen
}

type sent struct {
	token mqtt.Token
	at    time.Time
}

func newWindow(size int) window { return window{ring: make([]sent, size)} }

func (w *window) full() bool   { return w.n == len(w.ring) }
func (w *window) oldest() sent { return w.ring[w.first] }

func (w *window) push(t mqtt.Token, at time.Time) {
	w.ring[(w.first+w.n)%len(w.ring)] = sent{t, at}
	w.n++
}

func (w *window) drop(at time.Time) {
	w.ring[w.first] = sent{}
	w.first = (w.first + 1) % len(w.ring)
	w.n--
	w.progress = at
}

// since is from when on the broker owes an acknowledgement. The window must not be empty.
func (w *window) since() time.Time {
	if at := w.oldest().at; at.After(w.progress) {
		return at
	}
	return w.progress
}
