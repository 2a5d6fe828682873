package broker

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 5 * time.Second
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

func (p place) dial(ctx context.Context) (*Conn, error) {
	p.Terms.examine(ctx, p)
	conn := newConn(p)
	conn.second = p.Conflict.second(ctx, p)
	err := conn.login(ctx)
	if err == nil {
		return conn, nil
	}
	conn.end(err) // what is left of it has no say any more
	p.Conflict.refused()
	if conn.link != nil && ctx.Err() == nil && errors.As(err, new(unexplained)) && p.Terms.withoutRetain(ctx, p) {
		return p.dial(ctx)
	}
	return nil, err
}

func (c *Conn) login(ctx context.Context) error {
	attempt, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c.client = mqtt.NewClient(c.options(attempt))
	token := c.client.Connect()
	select {
	case <-token.Done():
	case <-attempt.Done(): // a WebSocket's handshake cannot be ended: it goes on by itself, for 10 s at most
		return c.to.unanswered(ctx)
	}
	if err := token.Error(); err != nil {
		if attempt.Err() != nil {
			return c.to.unanswered(ctx)
		}
		return c.to.refusal(ctx, err, c.link)
	}
	if code := c.link.in.code; code != packets.Accepted { // paho takes codes that it does not know for a yes
		return unexplained{no("%s refuses the connection with code %d, which MQTT 3.1.1 does not know (look at its log)", c.to.host, code)}
	}
	if !c.settled() {
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
		SetStore(noStore{}).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { c.end(c.broken(err)) }).
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
	c.link = newLink(conn, func(err error) { c.end(c.loss(err)) })
	c.link.in.tooLarge = c.tooLarge
	c.settled = context.AfterFunc(attempt, func() { _ = c.link.Close() })
	return c.link, nil
}

func (p *place) connect(ctx context.Context) (net.Conn, error) {
	if schemes[p.url.Scheme].websocket {
		return mqtt.NewWebsocket(p.url.String(), p.tls, dialTimeout, nil, nil)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.host)
	if err != nil {
		return nil, err
	}
	conn = quicken(conn)
	if p.tls == nil {
		return conn, nil
	}
	return p.encrypt(ctx, conn)
}

// noStore is paho's memory of messages to send again on the next connection. A Conn has no next connection.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
