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

// A Client is a connection to a broker. It does not use the MQTT library of the program, so that a test also finds faults of this
// library.
type Client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

// A Message is a message that a client publishes or receives. Received messages have QoS 0.
type Message struct {
	Topic, Payload string
	Retained       bool // MQTT's flag RETAIN; in a received message it means that the message was published before the subscription
}

// The first byte of a packet, by type of the packet (MQTT 3.1.1, section 2.2). The upper four bits are the type. In SUBSCRIBE the lower four bits
// must be 2.
const (
	packetConnect   = 0x10
	packetPublish   = 0x30
	packetSubscribe = 0x82
	packetPing      = 0xC0
	packetPong      = 0xD0
)

// Flags in the first byte of a PUBLISH packet (MQTT 3.1.1, section 3.3.1).
const (
	flagQoS1   = 0x02
	flagRetain = 0x01
)

// Connect connects to the broker at address (host:port) until the test ends. If user is empty, the client sends no user name and no password.
func Connect(t testing.TB, address, user, password string) *Client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{t: t, conn: conn, in: bufio.NewReader(conn)}
	t.Cleanup(func() { _ = conn.Close() })
	// MQTT 3.1.1, section 3.1: protocol MQTT, version 4, flags (02 is a clean session), no keep-alive, and an empty client id.
	body := []byte("\x00\x04MQTT\x04\x02\x00\x00\x00\x00")
	if user != "" {
		body[7] |= 0xC0 // the flags for a user name and a password
		body = appendText(appendText(body, user), password)
	}
	c.send(packetConnect, body)
	// The second byte of the answer CONNACK is the return code. 0 means that the broker has accepted the client.
	if _, answer, err := c.receive(); err != nil || len(answer) != 2 || answer[1] != 0 {
		t.Fatalf("login at %s: got answer % x and error %v, want 00 00", address, answer, err)
	}
	return c
}

// Publish sends messages, waits until the broker has processed them all, and disconnects. Retained messages have QoS 1, others QoS 0.
func (c *Client) Publish(messages ...Message) {
	c.t.Helper()
	defer c.conn.Close()
	for _, m := range messages {
		header, body := byte(packetPublish), appendText(nil, m.Topic)
		if m.Retained {
			header, body = header|flagQoS1|flagRetain, append(body, 0, 1) // the packet id is always 1, because no packet is sent again
		}
		c.send(header, append(body, m.Payload...))
	}
	c.ping()
}

// Subscribe subscribes to a topic filter, and returns the retained messages that the broker then sends.
func (c *Client) Subscribe(filter string) []Message {
	c.t.Helper()
	c.send(packetSubscribe, append(appendText([]byte{0, 1}, filter), 0)) // packet id 1, filter, QoS 0
	return c.ping()
}

// Retained returns the payloads of the retained messages that match a topic filter, by topic, and disconnects.
func (c *Client) Retained(filter string) map[string]string {
	c.t.Helper()
	defer c.conn.Close()
	found := map[string]string{}
	for _, message := range c.Subscribe(filter) {
		if message.Retained {
			found[message.Topic] = message.Payload
		}
	}
	return found
}

// ping sends a PINGREQ packet, and returns the messages that arrive before the answer. When ping returns, the broker has processed all earlier
// packets, because the broker answers packets in order.
func (c *Client) ping() (received []Message) {
	c.t.Helper()
	c.send(packetPing, nil)
	for {
		message, err := c.Next()
		if err != nil {
			c.t.Fatal(err)
		}
		if message.Topic == "" {
			return received
		}
		received = append(received, message)
	}
}

// Next waits for the next message. It returns the zero Message for the answer to a ping.
func (c *Client) Next() (Message, error) {
	for {
		header, body, err := c.receive()
		if err != nil || header == packetPong {
			return Message{}, err
		}
		if header&0xF0 == packetPublish {
			topicEnd := 2 + int(binary.BigEndian.Uint16(body))
			return Message{Topic: string(body[2:topicEnd]), Payload: string(body[topicEnd:]), Retained: header&flagRetain != 0}, nil
		}
	}
}

// send writes a packet (MQTT 3.1.1, section 2.2). header is its first byte.
func (c *Client) send(header byte, body []byte) {
	c.t.Helper()
	packet := binary.AppendUvarint([]byte{header}, uint64(len(body))) // MQTT encodes the length as a uvarint
	if _, err := c.conn.Write(append(packet, body...)); err != nil {
		c.t.Fatal(err)
	}
}

// receive reads the next packet.
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

// appendText appends an MQTT string: its length in two bytes, then the text.
func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

// A MessageLog records the retained messages of a broker, and then all messages that are published.
type MessageLog struct {
	t testing.TB

	mu   sync.Mutex
	text strings.Builder   // see Text
	last map[string]string // the last payload of each topic
}

// LogMessages starts to record all messages at the broker. It returns when the broker has accepted the subscription.
func (m *Mosquitto) LogMessages() *MessageLog { m.t.Helper(); return LogMessages(m.t, m.Address()) }

// LogMessages starts to record all messages at the broker at address (host:port), as Mosquitto.LogMessages does.
func LogMessages(t testing.TB, address string) *MessageLog {
	t.Helper()
	l := &MessageLog{t: t}
	l.Reset()
	c := Connect(t, address, "", "")
	for _, message := range c.Subscribe("#") {
		l.add(message)
	}
	go func() {
		for {
			message, err := c.Next()
			if err != nil {
				return // the broker has stopped or the test has ended
			}
			l.add(message)
		}
	}()
	return l
}

func (l *MessageLog) add(m Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(m.Topic + " " + m.Payload + "\n")
	l.last[m.Topic] = m.Payload
}

// Reset removes all messages recorded so far.
func (l *MessageLog) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
	l.text.WriteString("\n") // so that Count also finds the first message, because Count searches for a line break before the topic
	l.last = map[string]string{}
}

// Text returns all recorded messages: an empty line, then a line "topic payload" for each message.
func (l *MessageLog) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Count returns the number of recorded messages of a topic whose payload begins with payloadStart.
func (l *MessageLog) Count(topic, payloadStart string) int {
	return strings.Count(l.Text(), "\n"+topic+" "+payloadStart)
}

// Last returns the last payload of each topic.
func (l *MessageLog) Last() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.last)
}

// AwaitMessage waits until a message of the topic is recorded, and returns the last payload. If the caller gives a payload, AwaitMessage waits
// until the last payload is equal to the given payload.
func (l *MessageLog) AwaitMessage(topic string, payload ...string) (got string) {
	l.t.Helper()
	Until(l.t, "message received: "+topic+" "+strings.Join(payload, ""), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		var ok bool
		got, ok = l.last[topic]
		return ok && (len(payload) == 0 || got == payload[0])
	})
	return got
}
