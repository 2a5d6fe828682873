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
	// dialTimeout limits each attempt to connect and log in.
	dialTimeout = 10 * time.Second
	// publishTimeout is how long Publish waits for paho to accept a message before it checks whether the connection still exists. paho waits
	// for its writing goroutine even if that goroutine has ended with the connection.
	publishTimeout = time.Second
)

// Dial connects to the broker and logs in. It returns when the broker has answered or when ctx ends. An attempt takes 10 s at most. The end of
// ctx does not close a connection that Dial has returned. If c is not valid, the error is one or more joined *ConfigErrors. Permanent reports
// whether an error will most likely recur at the next attempt.
func Dial(ctx context.Context, c Config) (*Conn, error) {
	p, err := c.resolve()
	if err != nil {
		return nil, err
	}
	return p.dial(ctx)
}

// dial examines the broker if necessary and connects. If the broker refuses retained wills, it tries again with a will that is
// not retained.
func (p target) dial(ctx context.Context) (*Conn, error) {
	p.Capabilities.examine(ctx, p)
	c, err := p.dialOnce(ctx)
	if ctx.Err() == nil && errors.As(err, new(unexplainedError)) && p.Capabilities.refusesRetainedWill(ctx, p) {
		return p.dialOnce(ctx)
	}
	return c, err
}

// dialOnce connects without examining the broker.
func (p target) dialOnce(ctx context.Context) (*Conn, error) {
	c := &Conn{target: p, dialedAt: time.Now(), ended: make(chan struct{})}
	c.known, c.suspectTopic, c.stopAndWait = p.Capabilities.snapshot()
	c.secondConn = p.Conflict.dialSecond(ctx, p)
	if err := c.login(ctx); err != nil {
		c.end(err) // so that a later error of this connection has no effect
		p.Conflict.dialFailed()
		return nil, err
	}
	return c, nil
}

// login connects and waits for the CONNACK.
func (c *Conn) login(ctx context.Context) error {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c.client = mqtt.NewClient(c.options(dialCtx))
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-dialCtx.Done(): // the handshake of a WebSocket cannot be cancelled; it continues in the background for 10 s at most
	}
	switch err := token.Error(); {
	case dialCtx.Err() != nil:
		return c.target.timeoutError(ctx)
	case err != nil:
		return c.target.explainRefusal(ctx, err, c.packets != nil)
	case c.packets.returnCode != packets.Accepted: // paho treats unknown codes as accepted
		return unexplainedError{permanentf("%s refuses the connection with code %d, which MQTT 3.1.1 does not know (look at its log)", c.target.host, c.packets.returnCode)}
	case !c.detachFromDial():
		return c.target.timeoutError(ctx)
	}
	return nil
}

// options returns the options of a paho client for one connection.
//
// OrderMatters is true, so paho calls the functions of subscriptions in the order of the messages, on one goroutine. AutoAckDisabled is true
// because paho would otherwise send each acknowledgement on that goroutine, and read no packets while the network accepts no data.
func (c *Conn) options(dialCtx context.Context) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().
		SetClientID(c.target.ClientID).SetUsername(c.target.Username).SetPassword(c.target.Password).
		SetProtocolVersion(4). // MQTT 3.1.1; by default paho answers a refusal with a second attempt with MQTT 3.1
		SetCleanSession(true).
		SetStore(noStore{}).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true).
		SetAutoAckDisabled(true). // Subscribe acknowledges messages
		SetKeepAlive(c.target.KeepAlive).
		SetPingTimeout(c.target.KeepAlive / 3).
		SetConnectTimeout(dialTimeout).
		SetWriteTimeout(publishTimeout).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.end(c.explainLoss(err)) }).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c.open(dialCtx) })
	o.Servers = []*url.URL{c.target.url}
	if w := c.target.Will; w.Topic != "" {
		o.SetBinaryWill(w.Topic, bytes.Clone(w.Payload), w.QoS, w.Retain && !c.known.noRetain)
	}
	return o
}

// open makes the network connection. If dialCtx ends before detachFromDial is called, the connection is closed.
func (c *Conn) open(dialCtx context.Context) (net.Conn, error) {
	conn, err := c.target.connect(dialCtx)
	if err != nil {
		return nil, err
	}
	c.packets = newPacketConn(conn, func(err error) { c.end(c.explainLoss(err)) }, c.reportOversized)
	c.detachFromDial = context.AfterFunc(dialCtx, func() { _ = c.packets.Close() })
	return c.packets, nil
}

// connect makes a network connection: a WebSocket, TLS or plain TCP.
func (p *target) connect(ctx context.Context) (net.Conn, error) {
	switch {
	case schemes[p.url.Scheme].websocket:
		return mqtt.NewWebsocket(p.url.String(), p.tls, dialTimeout, nil, nil)
	case p.tls != nil:
		return (&tls.Dialer{Config: p.tls}).DialContext(ctx, "tcp", p.host)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", p.host)
}

// A noStore is a store of paho that keeps nothing. paho stores packets to send them again on the next connection, and a Conn has only one.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
