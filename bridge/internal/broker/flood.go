package broker

import (
	"fmt"
	"strings"
	"time"
)

// A flood counts the messages of one subscription that were too large to be read.
type flood struct {
	n    int
	last time.Time
}

const (
	// mostFloods is how many such messages a subscription may bring.
	mostFloods = 3
	// floodMemory is how long they count.
	floodMemory = time.Hour
	// floodPause is for how long such a subscription is left alone before it is ended.
	floodPause = 100 * time.Millisecond
)

// flooded notes one, and returns how many there were.
func (t *Terms) flooded(filter string) int {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.floods == nil {
		t.floods = map[string]flood{}
	}
	f := t.floods[filter]
	if time.Since(f.last) > floodMemory {
		f.n = 0
	}
	f.n, f.last = f.n+1, time.Now()
	t.floods[filter] = f
	return f.n
}

// drowned tells if a subscription has brought too many.
func (t *Terms) drowned(filter string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.floods[filter]
	return f.n >= mostFloods && time.Since(f.last) <= floodMemory
}

// tooLarge is told of a message that was discarded. It runs where the connection is read.
func (c *Conn) tooLarge(topic string, bytes int) {
	filter := c.filterOf(topic)
	n := c.to.Terms.flooded(filter)
	if n >= mostFloods { // not here, since it waits for the client; and not at once: some brokers refuse it while messages wait for an acknowledgement
		time.AfterFunc(floodPause, func() { c.client.Unsubscribe(filter) })
	}
	who := "who publishes that?"
	if topic == filter { // else somebody else has chosen it, and it is nothing to be put in a command
		who += fmt.Sprintf(" If the broker keeps it: mosquitto_pub -r -n -t '%s'", topic)
	}
	switch {
	case c.to.Complain == nil:
	case n == 1:
		c.to.Complain(fmt.Errorf("mqtt: a message of %d bytes came under %q and was not read: %d is the most (%s)", bytes, topic, mostInbound, who))
	case n == mostFloods:
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
