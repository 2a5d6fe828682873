//go:build linux

package testbed

import (
	"maps"
	"strings"
	"sync"
	"testing"
)

// A Listener is a client that hears all that is published at a broker, beginning with what is retained.
type Listener struct {
	t testing.TB

	mu   sync.Mutex
	text strings.Builder   // a line "topic payload" for each message, after an empty line
	from int               // where in text the messages begin that are not forgotten
	last map[string]string // the last payload of each topic since then
}

// Listen returns when whatever is published will be heard.
func (m *Mosquitto) Listen() *Listener {
	m.t.Helper()
	l := &Listener{t: m.t, from: 1, last: map[string]string{}}
	l.text.WriteString("\n")
	c := m.connect("", "")
	kept, err := c.Subscribe("#")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, message := range kept {
		l.hear(message)
	}
	go func() {
		for {
			message, err := c.Next()
			if err != nil {
				return // the broker or the test has ended
			}
			l.hear(message)
		}
	}()
	return l
}

func (l *Listener) hear(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(m.Topic + " " + m.Payload + "\n")
	l.last[m.Topic] = m.Payload
}

// Text returns all that was heard so far: an empty line, and a line "topic payload" for each message.
func (l *Listener) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Count returns how many messages of a topic were heard whose payload begins with a text.
func (l *Listener) Count(topic, payload string) int {
	return strings.Count(l.Text(), "\n"+topic+" "+payload)
}

// Forget passes over all that was heard so far.
func (l *Listener) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = l.text.Len()
	clear(l.last)
}

// Recall takes back what Forget has done.
func (l *Listener) Recall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = 1
	for line := range strings.Lines(l.text.String()[1:]) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		l.last[topic] = payload
	}
}

// Lines returns what Text does since the last Forget, beginning with the end of a line.
func (l *Listener) Lines() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()[l.from-1:]
}

// Heard returns the last payload of each topic since the last Forget.
func (l *Listener) Heard() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.last)
}

// Has reports whether the last payload of a topic is this one.
func (l *Listener) Has(topic, payload string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.last[topic]
	return ok && last == payload
}

// Hear waits for a topic; with a payload for this one as its last. It returns the payload.
func (l *Listener) Hear(topic string, payload ...string) string {
	l.t.Helper()
	var got string
	Until(l.t, "heard: "+topic+" "+strings.Join(payload, ""), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		var ok bool
		got, ok = l.last[topic]
		return ok && (len(payload) == 0 || got == payload[0])
	})
	return got
}

// HearAll waits until each of topics was heard.
func (l *Listener) HearAll(topics map[string]string) {
	l.t.Helper()
	for topic := range topics {
		l.Hear(topic)
	}
}
