package broker

import (
	"bytes"
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
	to      place
	client  mqtt.Client
	link    *link
	settled func() bool // ends the rule that the connection ends with the attempt to dial it
	window  window
	known   terms // what the broker takes
	// careful makes Publish wait for the acknowledgement of each message before it sends the next. So the message at which the broker ends
	// the connection is known. careful ends with the first Flush after a message of the topic suspect was acknowledged. Both fields belong
	// to the goroutine that publishes.
	careful bool
	suspect string
	born    time.Time
	second  *Conn // tells if the broker lives on, see Conflict; nil mostly

	once  sync.Once
	ended chan struct{}
	err   error // set before ended is closed

	mute    atomic.Bool // a subscription was not answered in time
	mu      sync.Mutex
	filters map[string]bool // what was subscribed to
}

func newConn(p place) *Conn {
	c := &Conn{to: p, born: time.Now(), ended: make(chan struct{})}
	c.known, c.suspect, c.careful = p.Terms.snapshot()
	c.window.ring = make([]sent, p.Window)
	return c
}

// ErrClosed is what a Conn returns after Close.
var ErrClosed = errors.New("mqtt: connection closed")

// Publish hands m to the broker behind all earlier messages, without waiting for its acknowledgement. It keeps no reference to
// m.Payload. It blocks only while the window is full or the network takes no more; a broker that acknowledges nothing for Config.Stall is
// given up. An error other than a *MessageError or a *RefusedError means that the connection is over; whether m arrived is then unknown.
func (c *Conn) Publish(m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	m.Retain = m.Retain && !c.known.noRetain
	if c.careful {
		m.QoS = 1 // else there is no acknowledgement
	}
	if err := c.Takes(m); err != nil {
		return err
	}
	if err := c.room(); err != nil {
		return err
	}
	c.link.cork()
	c.window.offer(messageInfo{m.Topic, packetSize(&m), m.Retain, m.QoS == 0})
	token, err := c.handOver(m)
	if err != nil {
		return err
	}
	c.window.push(token, time.Now())
	return nil
}

// handOver gives a message to the client, which does not take it while the network takes nothing, and sometimes when the connection is
// lost at that moment: it gives up after handTimeout, and has not sent anything then.
func (c *Conn) handOver(m Message) (mqtt.Token, error) {
	for {
		// The copy: paho keeps the slice, and writes it to the network from another goroutine.
		token := c.client.Publish(m.Topic, m.QoS, m.Retain, bytes.Clone(m.Payload))
		err := token.Error()
		if err == nil {
			return token, nil
		}
		if over := c.over(); over != nil {
			return nil, over
		}
		if err.Error() != "publish was broken by timeout" { // paho has no sentinel for it
			return nil, c.abandon(c.loss(err))
		}
	}
}

// room makes sure that one more message may be under way.
func (c *Conn) room() error {
	now := time.Now()
	for c.window.n > 0 {
		select {
		case <-c.window.oldest().token.Done():
			if err := c.settle(now); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	if c.window.n > 0 && (c.window.full() || c.careful || now.After(c.patience())) {
		return c.await(context.Background())
	}
	return c.over()
}

// await waits until the oldest message is acknowledged.
func (c *Conn) await(ctx context.Context) error {
	c.link.uncork()
	patience := time.NewTimer(time.Until(c.patience()))
	defer patience.Stop()
	select {
	case <-c.window.oldest().token.Done():
		return c.settle(time.Now())
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		return fmt.Errorf("mqtt: %d messages not yet acknowledged by %s: %w", c.window.n, c.to.host, context.Cause(ctx))
	case <-patience.C:
		if c.patience().After(time.Now()) { // messages that are too large to be read have come meanwhile
			return c.await(ctx)
		}
		return c.abandon(fmt.Errorf("mqtt: %s is connected but has acknowledged nothing for %v (is it overloaded, or the network down?)", c.to.host, c.to.Stall))
	}
}

// patience is until when the broker may acknowledge nothing.
func (c *Conn) patience() time.Time {
	since := c.window.since()
	if at := c.link.in.skippedAt(); at.After(since) {
		since = at
	}
	return since.Add(c.to.Stall)
}

// settle takes the oldest message, whose token is done, out of the window. paho gives a token that is done no error when it
// means to send the message again after a reconnect; this client never does, so that no error means acknowledged (QoS 1) or
// written (QoS 0).
func (c *Conn) settle(now time.Time) error {
	if err := c.window.oldest().token.Error(); err != nil {
		return c.abandon(c.loss(err))
	}
	if c.suspect != "" && c.window.oldest().topic == c.suspect {
		c.suspect = ""
		c.to.Terms.clearSuspect()
	}
	c.window.drop(now)
	if c.to.Progress != nil {
		c.to.Progress()
	}
	return nil
}

// Flush waits until everything published is acknowledged, or, with QoS 0, written to the network. It returns an error when ctx
// ends first, and also whenever the connection is over, even if the last acknowledgement came just before.
func (c *Conn) Flush(ctx context.Context) error {
	c.link.uncork()
	for c.window.n > 0 {
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

// farewell bounds how long Close waits for the DISCONNECT to be written and for the client's goroutines to end.
const farewell = 500 * time.Millisecond

// Close waits for what is under way, as Flush does, and says goodbye, so that the broker does not publish the will. When ctx ends
// first it leaves nevertheless, within half a second. The error is Flush's. After a loss Close has nothing to do and need not be called.
func (c *Conn) Close(ctx context.Context) error {
	err := c.Flush(ctx)
	c.end(nil)
	c.link.polite.Store(err == nil)
	c.client.Disconnect(uint(farewell / time.Millisecond))
	_ = c.link.Close()
	return err
}

// over is nil while the connection lives.
func (c *Conn) over() error {
	select {
	case <-c.ended:
	default:
		return nil
	}
	if c.err != nil {
		return c.err
	}
	return ErrClosed
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
	lived, brokerLives := time.Since(c.born), func() bool { return false }
	if c.second != nil {
		brokerLives = c.second.outlives
	}
	if !errors.As(err, new(hungUp)) {
		return c.to.Conflict.lost(&c.to, err, lived, nil)
	}
	u := c.window.underWay()
	if u.n == 0 {
		c.to.Terms.lost(u, lived, false)
		return c.to.Conflict.lost(&c.to, err, lived, brokerLives)
	}
	alive := brokerLives()
	c.to.Terms.lost(u, lived, alive)
	return c.to.Conflict.lost(&c.to, hungUp{c.to.during(u)}, lived, func() bool { return alive && u.guess })
}

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
