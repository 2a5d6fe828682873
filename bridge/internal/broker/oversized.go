package broker

import (
	"fmt"
	"strings"
	"time"
)

// An oversizedCount counts the messages of one subscription that were too large to be read.
type oversizedCount struct {
	n    int
	last time.Time
}

const (
	// maxOversized is how many such messages a subscription may bring.
	maxOversized = 3
	// oversizedWindow is how long they count.
	oversizedWindow = time.Hour
	// unsubscribeDelay is for how long such a subscription is left alone before it is ended.
	unsubscribeDelay = 100 * time.Millisecond
)

// noteOversized notes one, and returns how many there were.
func (t *Terms) noteOversized(filter string) int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.oversized == nil {
		t.oversized = map[string]oversizedCount{}
	}
	f := t.oversized[filter]
	if time.Since(f.last) > oversizedWindow {
		f.n = 0
	}
	f.n, f.last = f.n+1, time.Now()
	t.oversized[filter] = f
	return f.n
}

// oversizedAgain tells if a subscription has brought too many.
func (t *Terms) oversizedAgain(filter string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.oversized[filter]
	return f.n >= maxOversized && time.Since(f.last) <= oversizedWindow
}

// tooLarge is told of a message that was discarded. It runs where the connection is read.
func (c *Conn) tooLarge(topic string, bytes int) {
	filter := c.filterOf(topic)
	n := c.to.Terms.noteOversized(filter)
	if n >= maxOversized { // not here, since it waits for the client; and not at once: some brokers refuse it while messages wait for an acknowledgement
		time.AfterFunc(unsubscribeDelay, func() { c.client.Unsubscribe(filter) })
	}
	who := "who publishes that?"
	if topic == filter { // else somebody else has chosen it, and it is nothing to be put in a command
		who += fmt.Sprintf(" If the broker keeps it: mosquitto_pub -r -n -t '%s'", topic)
	}
	switch {
	case c.to.Complain == nil:
	case n == 1:
		c.to.Complain(fmt.Errorf("mqtt: a message of %d bytes came under %q and was not read: %d is the most (%s)", bytes, topic, mostInbound, who))
	case n == maxOversized:
		c.to.Complain(fmt.Errorf("mqtt: messages of more than %d bytes come under %q again and again: the subscription to %s is given up "+
			"for this connection, and for an hour (%s)", mostInbound, topic, filter, who))
	}
}

// filterOf is the subscription that brings the messages of a topic, else the topic.
func (c *Conn) filterOf(topic string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for filter := range c.filters {
		if covers(filter, topic) {
			return filter
		}
	}
	return topic
}

// covers tells if a topic fits a filter (MQTT 3.1.1, 4.7).
func covers(filter, topic string) bool {
	for {
		f, filters, more := strings.Cut(filter, "/")
		t, topics, deeper := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t:
			return false
		case !more || !deeper:
			return more == deeper || more && filters == "#"
		}
		filter, topic = filters, topics
	}
}
