package broker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A Conn is one connection to a broker, from login to loss or Close. Subscribe, Unsubscribe, Lost and Err are safe for concurrent use. The
// other methods must not be called concurrently.
type Conn struct {
	target         target
	client         mqtt.Client
	packets        *packetConn
	detachFromDial func() bool // keeps the connection open when the context of Dial ends; returns false if this context has already ended
	window         window
	known          knownCapabilities // what was known about the broker when the connection was dialled, and what DropsSilently found later
	// stopAndWait makes Publish wait for the acknowledgement of each message before it sends the next message. If the broker closes the
	// connection, the message that caused this is then known. Only the publishing goroutine uses stopAndWait and suspectTopic.
	stopAndWait  bool
	suspectTopic string // when a message under this topic is acknowledged, stopAndWait ends (see endStopAndWait); "" if there is none
	dialedAt     time.Time
	secondConn   *Conn // a connection that shows whether the broker still runs (see ConflictDetector); usually nil

	endOnce sync.Once
	ended   chan struct{}
	err     error // set before ended is closed

	answerTimedOut atomic.Bool // a SUBSCRIBE or UNSUBSCRIBE was not answered in time
}

// ErrClosed is the error of a Conn that is used after Close.
var ErrClosed = errors.New("mqtt: connection closed")

// A MessageError reports a message that no broker accepts. The message was not sent, and the connection remains usable.
type MessageError struct {
	Topic string
	// Reason says what is wrong with the message.
	Reason string
}

func (e *MessageError) Error() string { return fmt.Sprintf("mqtt: topic %q: %s", e.Topic, e.Reason) }

// validate returns a *MessageError for a message at which every broker would close the connection.
func (m Message) validate() error {
	switch {
	case m.Topic == "" || len(m.Topic) > 65535 || strings.ContainsAny(m.Topic, "+#\x00"):
		return &MessageError{m.Topic, "not a topic to publish under: empty, too long, or with +, # or NUL in it"}
	case m.QoS > 1:
		return &MessageError{m.Topic, fmt.Sprintf("quality of service %d: want 0 or 1", m.QoS)}
	}
	return nil
}

// Publish accepts m, to be sent after all earlier messages, and copies m.Payload. It does not wait for the acknowledgement. The message can
// remain in a buffer until Send or a method that waits is called. Publish blocks only while Config.MaxInFlight messages are unacknowledged, or
// while the network accepts no data. If the previous connection was lost with messages in flight, it also blocks while one message is
// unacknowledged. After a *MessageError or a *RefusedError the connection remains usable. Any other error means that the connection has
// ended, and that m has possibly not arrived.
func (c *Conn) Publish(m Message) error {
	if err := m.validate(); err != nil {
		return err
	}
	m.Retain = m.Retain && !c.known.noRetain
	if c.stopAndWait {
		m.QoS = 1 // with QoS 0 there would be no acknowledgement to wait for
	}
	if err := c.CheckMessage(m); err != nil {
		return err
	}
	if err := c.waitForRoom(); err != nil {
		return err
	}
	c.window.push(inFlightMessage{topic: m.Topic, size: packetSize(&m), retain: m.Retain, qos0: m.QoS == 0})
	for {
		// paho keeps the slice and writes it to the network from another goroutine. So paho gets a copy.
		token := c.client.Publish(m.Topic, m.QoS, m.Retain, bytes.Clone(m.Payload))
		err := token.Error()
		if err == nil {
			c.window.setToken(token)
			c.startAckTimer()
			return nil
		}
		if ended := c.endErr(); ended != nil {
			return ended
		}
		// This text means that paho has sent nothing within publishTimeout, so Publish tries again. paho exports no error value for it.
		if err.Error() != "publish was broken by timeout" {
			return c.fail(c.explainLoss(err))
		}
	}
}

// Lost returns a channel that is closed when the connection has ended. The cause can also be an error on this side, or Close.
func (c *Conn) Lost() <-chan struct{} { return c.ended }

// Err returns why the connection was lost. It is nil while the connection exists and after Close.
func (c *Conn) Err() error {
	select {
	case <-c.ended:
		return c.err
	default:
		return nil
	}
}

const (
	// shortCloseTimeout is how long Close waits after Flush has failed. In this time the DISCONNECT is written and paho's goroutines end.
	shortCloseTimeout = 500 * time.Millisecond
	// closeTimeout replaces shortCloseTimeout after Flush has succeeded, because a machine under load possibly needs more time. It is also how
	// long Close waits for a broker that sends nothing and does not close the connection.
	closeTimeout = 5 * time.Second
)

// Close calls Flush and sends a DISCONNECT, so that the broker does not publish the will. Then it waits until the broker has closed the
// connection or has sent nothing for 5 s, but not much longer than 30 s. If Flush fails, for example because ctx ends, Close does not wait
// for the broker and returns within half a second. Close returns the error of Flush. After a loss, Close need not be called.
func (c *Conn) Close(ctx context.Context) error {
	err := c.Flush(ctx)
	c.end(nil)
	wait := shortCloseTimeout
	if err == nil {
		c.packets.drainOnClose.Store(true)
		wait = closeTimeout
	}
	c.client.Disconnect(uint(wait / time.Millisecond))
	_ = c.packets.Close()
	return err
}

// endErr returns nil while the connection exists. After its end, endErr returns the cause, or ErrClosed after Close.
func (c *Conn) endErr() error {
	select {
	case <-c.ended:
		return cmp.Or(c.err, ErrClosed)
	default:
		return nil
	}
}

// fail ends the connection without a DISCONNECT, so that the broker publishes the will. It returns the recorded cause of the end. If the
// connection had already ended, the recorded cause is that of the earlier end, and not err.
func (c *Conn) fail(err error) error {
	c.end(err)
	_ = c.packets.Close()
	return c.endErr()
}

// end marks the connection as ended by err, which is nil if Close ends it. Only the first call has an effect.
func (c *Conn) end(err error) {
	c.endOnce.Do(func() {
		c.err = c.explainEnding(err)
		close(c.ended)
		c.window.stopAckTimer()
		if c.secondConn != nil {
			c.secondConn.closeIdle()
		}
	})
}
