//go:build linux

package testbed

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// A Client is a connection to a broker. It speaks MQTT 3.1.1 by hand, so that it shares no fault with the library of the program, and
// takes no time from what a benchmark measures.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
}

// A Message is one that a client has received, with quality 0. Retained tells that the broker had kept it.
type Message struct {
	Topic, Payload string
	Retained       bool
}

// Kinds of packets (MQTT 3.1.1, 2.2.1), in the upper four bits.
const (
	packetConnect   = 0x10
	packetPublish   = 0x30
	packetSubscribe = 0x82
	packetPing      = 0xC0
	packetPong      = 0xD0
	qualityOne      = 0x02 // of a packet of the kind publish, as is retained
	retained        = 0x01
)

// Connect logs in at an address, a host and a port. An empty user is nobody in particular.
func Connect(address, user, password string) (*Client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, in: bufio.NewReader(conn)}
	body := append([]byte("\x00\x04MQTT\x04\x02\x00\x00"), 0, 0) // a clean session without keep-alive; the broker gives the client id
	if user != "" {
		body[7] |= 0xC0
		body = appendText(appendText(body, user), password)
	}
	if err := c.send(packetConnect, body); err != nil {
		return nil, err
	}
	_, answer, err := c.packet()
	if err != nil || len(answer) != 2 || answer[1] != 0 {
		_ = conn.Close()
		return nil, fmt.Errorf("login at %s: answer % x: %w", address, answer, err)
	}
	return c, nil
}

// Close ends the connection without a word.
func (c *Client) Close() { _ = c.conn.Close() }

// Publish sends messages with quality 0, one for each payload, and returns when the broker has taken them all.
func (c *Client) Publish(topic string, payloads ...string) error {
	for _, payload := range payloads {
		if err := c.send(packetPublish, append(appendText(nil, topic), payload...)); err != nil {
			return err
		}
	}
	_, err := c.Ping()
	return err
}

// Retain sends a message with quality 1 under each of some topics, to be retained, and returns when the broker has taken them all.
func (c *Client) Retain(payload string, topics ...string) error {
	for _, topic := range topics {
		body := append(appendText(nil, topic), 0, 1) // all have the packet id 1: nothing is sent again
		if err := c.send(packetPublish|qualityOne|retained, append(body, payload...)); err != nil {
			return err
		}
	}
	_, err := c.Ping()
	return err
}

// Subscribe asks for all that fits a filter, and returns what the broker retains of it.
func (c *Client) Subscribe(filter string) ([]Message, error) {
	if err := c.send(packetSubscribe, append(appendText([]byte{0, 1}, filter), 0)); err != nil {
		return nil, err
	}
	return c.Ping()
}

// Ping asks the broker for an answer, which comes behind what it had to say before, and returns that.
func (c *Client) Ping() (before []Message, err error) {
	if err := c.send(packetPing, nil); err != nil {
		return nil, err
	}
	for {
		kind, body, err := c.packet()
		if err != nil || kind == packetPong {
			return before, err
		}
		if kind&0xF0 == packetPublish {
			before = append(before, message(kind, body))
		}
	}
}

// Next waits for a message.
func (c *Client) Next() (Message, error) {
	for {
		kind, body, err := c.packet()
		if err != nil || kind&0xF0 == packetPublish {
			return message(kind, body), err
		}
	}
}

func message(kind byte, body []byte) Message {
	if len(body) < 2 {
		return Message{}
	}
	n := 2 + int(binary.BigEndian.Uint16(body))
	return Message{Topic: string(body[2:n]), Payload: string(body[n:]), Retained: kind&retained != 0}
}

func (c *Client) send(kind byte, body []byte) error {
	_, err := c.conn.Write(packet(kind, body))
	return err
}

// packet reads one (MQTT 3.1.1, 2.2).
func (c *Client) packet() (kind byte, body []byte, err error) {
	if kind, err = c.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	length, err := binary.ReadUvarint(c.in) // MQTT writes lengths in the same way
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, length)
	_, err = io.ReadFull(c.in, body)
	return kind, body, err
}

func packet(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}
