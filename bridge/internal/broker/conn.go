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

// A Conn is one connection to a broker, from login to loss or Close. Publish, Flush and Close are for one goroutine at a time;
// Subscribe, Lost and Err are safe for concurrent use.
type Conn struct {
	to      endpoint
	client  mqtt.Client
	link    *link
	settled func() bool // ends the rule that the connection ends with the attempt to dial it
	window  window
	known   capabilities // what the broker takes
	// careful makes Publish wait for the acknowledgement of each message before it sends the next. So the message at which the broker ends
	// the connection is known. careful ends with the first Flush after a message of the topic suspect was acknowledged. Both fields belong
	// to the goroutine that publishes.
	careful bool
	suspect string
	born    time.Time
	second  *Conn // tells if the broker lives on, see ConflictDetector; nil mostly

	once  sync.Once
	ended chan struct{}
	err   error // set before ended is closed

	mute atomic.Bool // a subscription was not answered in time
}

// ErrClosed is what a Conn returns after Close.
var ErrClosed = errors.New("mqtt: connection closed")

// A MessageError says that a message can never be published, by any broker. The connection is not touched by it.
type MessageError struct{ Topic, Reason string }

func (e *MessageError) Error() string { return fmt.Sprintf("mqtt: topic %q: %s", e.Topic, e.Reason) }

// check refuses what a broker would answer by closing the connection, again and again.
func (m Message) check() error {
	switch {
	case m.Topic == "" || len(m.Topic) > 65535 || strings.ContainsAny(m.Topic, "+#\x00"):
		return &MessageError{m.Topic, "not a topic to publish under: empty, too long, or with +, # or NUL in it"}
	case m.QoS > 1:
		return &MessageError{m.Topic, fmt.Sprintf("quality of service %d: want 0 or 1", m.QoS)}
	}
	return nil
}

// Publish hands m to the broker behind all earlier messages, without waiting for its acknowledgement. It keeps no reference to
// m.Payload. It blocks only while the window is full or the network takes no more; a broker that acknowledges nothing for Config.AckTimeout is
// given up. An error other than a *MessageError or a *RefusedError means that the connection is over; whether m arrived is then unknown.
func (c *Conn) Publish(m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	m.Retain = m.Retain && !c.known.noRetain
	if c.careful {
		m.QoS = 1 // else there is no acknowledgement
	}
	if err := c.CheckMessage(m); err != nil {
		return err
	}
	if err := c.room(); err != nil {
		return err
	}
	c.window.push(sent{topic: m.Topic, size: packetSize(&m), retain: m.Retain, qos0: m.QoS == 0})
	for {
		// The copy: paho keeps the slice, and writes it to the network from another goroutine.
		token := c.client.Publish(m.Topic, m.QoS, m.Retain, bytes.Clone(m.Payload))
		err := token.Error()
		if err == nil {
			c.window.taken(token)
			return nil
		}
		if over := c.over(); over != nil {
			return over
		}
		if err.Error() != "publish was broken by timeout" { // after handTimeout; nothing was sent, and paho has no sentinel for it
			return c.abandon(c.loss(err))
		}
	}
}

// room makes sure that one more message may be under way.
func (c *Conn) room() error {
	if err := c.over(); err != nil {
		return err
	}
	for len(c.window.queue) > 0 && c.window.oldest().done() {
		if err := c.settle(); err != nil {
			return err
		}
	}
	n := len(c.window.queue)
	if n > 0 && (n == c.to.MaxInFlight || c.careful || time.Now().After(c.patience())) {
		return c.await(context.Background())
	}
	return nil
}

// await waits until the oldest message is acknowledged.
func (c *Conn) await(ctx context.Context) error {
	patience := time.NewTimer(time.Until(c.patience()))
	defer patience.Stop()
	select {
	case <-c.window.oldest().token.Done():
		return c.settle()
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		if c.window.oldest().done() { // select takes either where both are
			return c.settle()
		}
		return fmt.Errorf("mqtt: %d messages not yet acknowledged by %s: %w", len(c.window.queue), c.to.host, context.Cause(ctx))
	case <-patience.C:
		if c.patience().After(time.Now()) { // messages that are too large to be read have come meanwhile
			return c.await(ctx)
		}
		return c.abandon(fmt.Errorf("mqtt: %s is connected but has acknowledged nothing for %v (is it overloaded, or the network down?)", c.to.host, c.to.AckTimeout))
	}
}

// patience is until when the broker may acknowledge nothing.
func (c *Conn) patience() time.Time {
	since := time.Unix(0, c.link.discarded.Load())
	for _, at := range []time.Time{c.window.oldest().at, c.window.progress} {
		if at.After(since) {
			since = at
		}
	}
	return since.Add(c.to.AckTimeout)
}

// settle takes the oldest message, whose token is done, out of the window. paho gives a token that is done no error when it
// means to send the message again after a reconnect; this client never does, so that no error means acknowledged (QoS 1) or
// written (QoS 0).
func (c *Conn) settle() error {
	m := c.window.oldest()
	if err := m.token.Error(); err != nil {
		return c.abandon(c.loss(err))
	}
	if c.suspect != "" && m.topic == c.suspect {
		c.suspect = ""
		c.to.Capabilities.clearSuspect()
	}
	c.window.drop()
	if c.to.OnAcknowledged != nil {
		c.to.OnAcknowledged()
	}
	return nil
}

// Flush waits until everything published is acknowledged, or, with QoS 0, written to the network. It returns an error when ctx
// ends first, and also whenever the connection is over, even if the last acknowledgement came just before.
func (c *Conn) Flush(ctx context.Context) error {
	for c.over() == nil && len(c.window.queue) > 0 {
		if err := c.await(ctx); err != nil {
			return err
		}
	}
	if c.suspect == "" {
		c.careful = false
	}
	return c.over()
}

// Lost is closed when the connection is over: lost, given up, or closed by Close.
func (c *Conn) Lost() <-chan struct{} { return c.ended }

// Err tells why the connection was lost. It is nil while it lives and after Close.
func (c *Conn) Err() error {
	select {
	case <-c.ended:
		return c.err
	default:
		return nil
	}
}

const (
	// farewell bounds how long Close waits for the DISCONNECT to be written and for the client's goroutines to end, where what is under
	// way has not arrived.
	farewell = 500 * time.Millisecond
	// parting is how long a broker may be silent that has not yet closed a connection, and a loaded machine may take for the DISCONNECT.
	parting = 5 * time.Second
)

// Close waits for what is under way, as Flush does, and says goodbye, so that the broker does not publish the will. When ctx ends
// first it leaves nevertheless, within half a second; else it waits for the broker to close the connection, unless that is silent for 5 s.
// The error is Flush's. After a loss Close has nothing to do and need not be called.
func (c *Conn) Close(ctx context.Context) error {
	err := c.Flush(ctx)
	c.end(nil)
	wait := farewell
	if err == nil {
		c.link.polite.Store(true)
		wait = parting
	}
	c.client.Disconnect(uint(wait / time.Millisecond))
	_ = c.link.Close()
	return err
}

// over is nil while the connection lives.
func (c *Conn) over() error {
	select {
	case <-c.ended:
		return cmp.Or(c.err, ErrClosed)
	default:
		return nil
	}
}

// abandon gives the connection up. Without a goodbye: the broker publishes the will when it notices. The cause that was
// known first is returned.
func (c *Conn) abandon(err error) error {
	c.end(err)
	_ = c.link.Close()
	return c.over()
}

func (c *Conn) end(err error) {
	c.once.Do(func() {
		c.err = c.explainEnd(err)
		close(c.ended)
		if c.second != nil {
			c.second.leave()
		}
	})
}

// explainEnd finds out who is to blame for the end of a connection: a message that the broker does not take, another client of this id, or the
// network.
func (c *Conn) explainEnd(err error) error {
	lived, alive := time.Since(c.born), false
	if errors.As(err, new(hungUp)) {
		u := c.window.underWay() // before it takes a moment to ask: what is published from here on is no cause
		alive = c.second != nil && c.second.outlives()
		c.to.Capabilities.lost(u, lived, alive)
		if u.n > 0 {
			err = hungUp{fmt.Errorf("mqtt: %s closed the connection while it was sent %s of %d bytes (was it restarted, or does it not take "+
				"that message? The broker's log tells; hanbridge asks it when it is back)", c.to.host, u.largest.topic, u.largest.size)}
			alive = alive && u.guess
		}
	}
	return c.to.Conflict.lost(&c.to, err, lived, alive)
}
