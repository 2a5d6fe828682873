package broker

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	dialTimeout = 10 * time.Second
	// handTimeout is how long the client may not take a message before it is looked whether the connection lives: paho waits for
	// the goroutine that takes it also when that has ended with the connection.
	handTimeout = time.Second
)

// Dial connects to the broker and logs in. It returns when the broker has said yes or no, after 10 s at the latest, and at
// once when ctx ends. The connection outlives ctx. What is wrong with c itself is a *ConfigError; Permanent tells which errors
// will not go away by waiting.
func Dial(ctx context.Context, c Config) (*Conn, error) {
	p, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return p.dial(ctx)
}

func (p endpoint) dial(ctx context.Context) (*Conn, error) {
	p.Capabilities.examine(ctx, p)
	c, err := p.once(ctx)
	if ctx.Err() == nil && errors.As(err, new(unexplained)) && p.Capabilities.withoutRetain(ctx, p) {
		return p.once(ctx)
	}
	return c, err
}

// once dials without a look at what the broker takes.
func (p endpoint) once(ctx context.Context) (*Conn, error) {
	c := &Conn{to: p, born: time.Now(), ended: make(chan struct{})}
	c.known, c.suspect, c.careful = p.Capabilities.snapshot()
	c.second = p.Conflict.second(ctx, p)
	if err := c.login(ctx); err != nil {
		c.end(err) // what is left of it has no say any more
		p.Conflict.refused()
		return nil, err
	}
	return c, nil
}

func (c *Conn) login(ctx context.Context) error {
	attempt, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c.client = mqtt.NewClient(c.options(attempt))
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-attempt.Done(): // a WebSocket's handshake cannot be ended: it goes on by itself, for 10 s at most
	}
	switch err := token.Error(); {
	case attempt.Err() != nil:
		return c.to.unanswered(ctx)
	case err != nil:
		return c.to.refusal(ctx, err, c.link != nil)
	case c.link.code != packets.Accepted: // paho takes codes that it does not know for a yes
		return unexplained{no("%s refuses the connection with code %d, which MQTT 3.1.1 does not know (look at its log)", c.to.host, c.link.code)}
	case !c.settled():
		return c.to.unanswered(ctx)
	}
	return nil
}

// options sets up a client that lives as long as one connection.
//
// Order is false: with true, paho calls the functions of subscriptions where it reads from the network, and one that
// publishes or waits stops the acknowledgements it waits for. It has no bearing on what is published.
func (c *Conn) options(attempt context.Context) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().
		SetClientID(c.to.ClientID).SetUsername(c.to.Username).SetPassword(c.to.Password).
		SetProtocolVersion(4). // else a refusal is followed by a second try with MQTT 3.1
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(false).
		SetKeepAlive(c.to.KeepAlive).
		SetPingTimeout(c.to.KeepAlive / 3).
		SetConnectTimeout(dialTimeout).
		SetWriteTimeout(handTimeout).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.end(c.loss(err)) }).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c.open(attempt) })
	o.Servers = []*url.URL{c.to.url}
	if w := c.to.Will; w.Topic != "" {
		o.SetBinaryWill(w.Topic, bytes.Clone(w.Payload), w.QoS, w.Retain && !c.known.noRetain)
	}
	return o
}

// open makes the network connection. When the attempt ends before it has settled, it is closed.
func (c *Conn) open(attempt context.Context) (net.Conn, error) {
	conn, err := c.to.connect(attempt)
	if err != nil {
		return nil, err
	}
	c.link = newLink(conn, func(err error) { c.end(c.loss(err)) }, c.tooLarge)
	c.settled = context.AfterFunc(attempt, func() { _ = c.link.Close() })
	return c.link, nil
}

func (p *endpoint) connect(ctx context.Context) (net.Conn, error) {
	switch {
	case schemes[p.url.Scheme].websocket:
		return mqtt.NewWebsocket(p.url.String(), p.tls, dialTimeout, nil, nil)
	case p.tls != nil:
		return (&tls.Dialer{Config: p.tls}).DialContext(ctx, "tcp", p.host)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", p.host)
}
