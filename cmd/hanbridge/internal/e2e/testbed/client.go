//go:build linux

package testbed

import (
	"bufio"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
)

// A Client is a connection to a broker. It speaks MQTT 3.1.1 by hand, so that it shares no fault with the library of the program, and
// takes no time from what a benchmark measures.
type Client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// A Message is one that a client publishes or has received, there with quality 0. Retained tells that the broker keeps it, or had kept it.
type Message struct {
	Topic, Payload string
	Retained       bool
}

// Kinds of packets (MQTT 3.1.1, 2.2.1), in the upper four bits, and flags of those that publish.
const (
	packetConnect   = 0x10
	packetPublish   = 0x30
	packetSubscribe = 0x82
	packetPing      = 0xC0
	packetPong      = 0xD0
	qualityOne      = 0x02
	retained        = 0x01
)

// Connect logs in at an address, a host and a port, until the test ends. An empty user is nobody in particular.
func Connect(t testing.TB, address, user, password string) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{t: t, conn: conn, in: bufio.NewReader(conn)}
	t.Cleanup(func() { _ = conn.Close() })
	body := []byte("\x00\x04MQTT\x04\x02\x00\x00\x00\x00") // a clean session without keep-alive; the broker gives the client id
	if user != "" {
		body[7] |= 0xC0
		body = appendText(appendText(body, user), password)
	}
	c.send(packetConnect, body)
	if _, answer, err := c.receive(); err != nil || len(answer) != 2 || answer[1] != 0 {
		t.Fatalf("login at %s: answer % x: %v", address, answer, err)
	}
	return c
}

// Publish sends messages, those to be retained with quality 1, and leaves when the broker has taken them all.
func (c *Client) Publish(messages ...Message) {
	c.t.Helper()
	defer c.conn.Close()
	for _, m := range messages {
		header, body := byte(packetPublish), appendText(nil, m.Topic)
		if m.Retained {
			header, body = header|qualityOne|retained, append(body, 0, 1) // all have the packet id 1: nothing is sent again
		}
		c.send(header, append(body, m.Payload...))
	}
	c.ping()
}

// Subscribe asks for all that fits a filter, and returns what the broker retains of it and the client may read.
func (c *Client) Subscribe(filter string) []Message {
	c.t.Helper()
	c.send(packetSubscribe, append(appendText([]byte{0, 1}, filter), 0))
	return c.ping()
}

// Kept returns what is retained under topics that fit a filter, by topic, and leaves.
func (c *Client) Kept(filter string) map[string]string {
	c.t.Helper()
	defer c.conn.Close()
	kept := map[string]string{}
	for _, message := range c.Subscribe(filter) {
		if message.Retained {
			kept[message.Topic] = message.Payload
		}
	}
	return kept
}

// ping asks the broker for an answer, which comes behind what it had to say before, and returns that.
func (c *Client) ping() (before []Message) {
	c.t.Helper()
	for c.send(packetPing, nil); ; {
		message, err := c.Next()
		if err != nil {
			c.t.Fatal(err)
		}
		if message.Topic == "" {
			return before
		}
		before = append(before, message)
	}
}

// Next waits for a message.
func (c *Client) Next() (Message, error) {
	for {
		header, body, err := c.receive()
		if err != nil || header == packetPong {
			return Message{}, err
		}
		if header&0xF0 == packetPublish {
			n := 2 + int(binary.BigEndian.Uint16(body))
			return Message{Topic: string(body[2:n]), Payload: string(body[n:]), Retained: header&retained != 0}, nil
		}
	}
}

// send writes a packet (MQTT 3.1.1, 2.2).
func (c *Client) send(header byte, body []byte) {
	c.t.Helper()
	packet := binary.AppendUvarint([]byte{header}, uint64(len(body))) // MQTT writes lengths in the same way
	if _, err := c.conn.Write(append(packet, body...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *Client) receive() (header byte, body []byte, err error) {
	if header, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(c.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return header, body, err
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// A Listener is a client that hears all that is published at a broker, beginning with what is retained.
type Listener struct {
	t testing.TB

	mu   sync.Mutex
	text strings.Builder
	last map[string]string // payload of each topic
}

// Listen returns when whatever is published will be heard.
func (m *Mosquitto) Listen() *Listener { m.t.Helper(); return Listen(m.t, m.Address()) }

// Listen is Mosquitto.Listen at the address of any broker, a host and a port.
func Listen(t testing.TB, address string) *Listener {
	t.Helper()
	l := &Listener{t: t}
	l.Forget()
	c := Connect(t, address, "", "")
	for _, message := range c.Subscribe("#") {
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

// Forget passes over all that was heard so far.
func (l *Listener) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
	l.text.WriteString("\n")
	l.last = map[string]string{}
}

// Text returns all that was heard: an empty line, and a line "topic payload" for each message.
func (l *Listener) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Count returns how many messages of a topic were heard whose payload begins with a text.
func (l *Listener) Count(topic, payload string) int {
	return strings.Count(l.Text(), "\n"+topic+" "+payload)
}

// Heard returns the last payload of each topic.
func (l *Listener) Heard() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.last)
}

// Hear waits for a topic; with a payload for this one as its last. It returns the payload.
func (l *Listener) Hear(topic string, payload ...string) (got string) {
	l.t.Helper()
	Until(l.t, "heard: "+topic+" "+strings.Join(payload, ""), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		var ok bool
		got, ok = l.last[topic]
		return ok && (len(payload) == 0 || got == payload[0])
	})
	return got
}
