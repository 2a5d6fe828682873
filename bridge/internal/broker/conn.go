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

// A Conn is one connection to a broker, from login to loss or Close. Publish, Flush, Close and DropsSilently must not be called
// concurrently. Subscribe, Unsubscribe, Lost and Err are safe for concurrent use.
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
	suspectTopic string // when a message under this topic is acknowledged, the next Flush ends stopAndWait; "" if there is none
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

// Publish sends m after all earlier messages and does not wait for its acknowledgement. It copies m.Payload. It blocks only while
// Config.MaxInFlight messages are unacknowledged, or while the network accepts no data. If the previous connection was lost with messages in
// flight, it also blocks while one message is unacknowledged. It closes the connection if the broker acknowledges nothing for
// Config.AckTimeout. After a *MessageError or a *RefusedError the connection remains usable. Any other error means that the connection has
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

// waitForRoom removes acknowledged messages. If the window is then full, or stopAndWait is set, it waits for the oldest remaining message.
func (c *Conn) waitForRoom() error {
	if err := c.endErr(); err != nil {
		return err
	}
	for len(c.window.queue) > 0 && c.window.oldest().done() {
		if err := c.completeOldest(); err != nil {
			return err
		}
	}
	inFlight := len(c.window.queue)
	mustWait := inFlight == c.target.MaxInFlight || c.stopAndWait
	// After the deadline, awaitOldest does not wait but ends the connection.
	if inFlight > 0 && (mustWait || time.Now().After(c.ackDeadline())) {
		return c.awaitOldest(context.Background())
	}
	return nil
}

// awaitOldest waits until the oldest message is acknowledged, and removes it from the window.
func (c *Conn) awaitOldest(ctx context.Context) error {
	deadline := time.NewTimer(time.Until(c.ackDeadline()))
	defer deadline.Stop()
	select {
	case <-c.window.oldest().token.Done():
		return c.completeOldest()
	case <-c.ended:
		return c.endErr()
	case <-ctx.Done():
		if c.window.oldest().done() { // select chooses at random if both channels are ready
			return c.completeOldest()
		}
		return fmt.Errorf("mqtt: %d messages not yet acknowledged by %s: %w", len(c.window.queue), c.target.host, context.Cause(ctx))
	case <-deadline.C:
		if c.ackDeadline().After(time.Now()) { // oversized messages have moved the deadline
			return c.awaitOldest(ctx)
		}
		return c.fail(fmt.Errorf("mqtt: %s is connected but has acknowledged nothing for %v (is the broker overloaded, or the network down?)", c.target.host, c.target.AckTimeout))
	}
}

// ackDeadline returns the time until which the broker must acknowledge a message. AckTimeout counts from the
// latest of three times: when the oldest message was sent, when the last acknowledgement arrived, and when bytes were last discarded.
func (c *Conn) ackDeadline() time.Time {
	since := time.Unix(0, c.packets.lastDiscard.Load())
	for _, at := range []time.Time{c.window.oldest().sentAt, c.window.lastAck} {
		if at.After(since) {
			since = at
		}
	}
	return since.Add(c.target.AckTimeout)
}

// completeOldest removes the oldest message, whose token is done, from the window. A token without an error means that the message was
// acknowledged (QoS 1) or written to the network (QoS 0).
func (c *Conn) completeOldest() error {
	m := c.window.oldest()
	if err := m.token.Error(); err != nil {
		return c.fail(c.explainLoss(err))
	}
	if c.suspectTopic != "" && m.topic == c.suspectTopic {
		c.suspectTopic = ""
		c.target.Capabilities.clearSuspect()
	}
	c.window.pop()
	if c.target.OnAcknowledged != nil {
		c.target.OnAcknowledged()
	}
	return nil
}

// Flush waits until every published message is acknowledged or, with QoS 0, written to the network. It returns an error if ctx ends
// before that. It also returns an error if the connection has ended, even if every message was acknowledged before.
func (c *Conn) Flush(ctx context.Context) error {
	for c.endErr() == nil && len(c.window.queue) > 0 {
		if err := c.awaitOldest(ctx); err != nil {
			return err
		}
	}
	if c.suspectTopic == "" {
		c.stopAndWait = false
	}
	return c.endErr()
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
		if c.secondConn != nil {
			c.secondConn.closeIdle()
		}
	})
}
