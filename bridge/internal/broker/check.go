package broker

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// A Finding is what Check found out about one topic.
type Finding struct {
	Topic   string
	Publish bool  // a message came back: publishing and reading are allowed
	Retain  bool  // the broker kept a retained message
	Err     error // what went wrong, in words for people; nil if all is well
}

// echoWait is how long a message may take to the broker and back.
const echoWait = 2 * time.Second

// Check logs in beside a running bridge, as "<ClientID>-check", and tries out topics: it publishes a retained message under each, waits for
// it to come back, asks whether it was kept, and takes it back. Nothing else may live under them. The error is Dial's; what is wrong with a topic
// is in its Finding.
func Check(ctx context.Context, c Config, topics ...string) ([]Finding, error) {
	c.ClientID += "-check" // the same id would throw out the bridge
	c.Will = Message{}
	findings := make([]Finding, 0, len(topics))
	id := c.ClientID
	for i, topic := range topics {
		c.ClientID = id + strconv.Itoa(i) // a broker may still be busy with the one before
		conn, err := Dial(ctx, c)         // one for each: some brokers answer a forbidden topic by closing the connection
		if err != nil {
			return findings, err
		}
		f := conn.try(ctx, topic)
		if err := conn.Close(ctx); f.Err == nil {
			f.Err = err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

var errNoEcho = fmt.Errorf("nothing within %v", echoWait)

// try publishes before it has read anything: a broker acknowledges what its access rules forbid as well, so that only the echo tells.
func (c *Conn) try(ctx context.Context, topic string) (f Finding) {
	f.Topic = topic
	echoes := make(chan Message, 16)
	hear := func(m Message) {
		select {
		case echoes <- m:
		default: // somebody else's: more than were asked for
		}
	}
	if f.Err = c.Subscribe(ctx, topic, 1, hear); f.Err != nil {
		return f
	}
	nonce := fmt.Sprintf("hanbridge check %d", time.Now().UnixNano())
	if f.Err = c.Publish(Message{Topic: topic, Payload: []byte(nonce), QoS: 1, Retain: true}); f.Err != nil {
		return f
	}
	defer func() { // also where nothing came back: it may be kept where we may not read
		if err := c.Publish(Message{Topic: topic, QoS: 1, Retain: true}); f.Err == nil {
			f.Err = err
		}
	}()
	if f.Err = c.echo(ctx, echoes, nonce, false); f.Err != nil {
		f.Err = fmt.Errorf("mqtt: %s did not give back what was published under %s: %w (may this user publish and subscribe there?)", c.to.host, topic, f.Err)
		return f
	}
	f.Publish = true
	if f.Err = c.Subscribe(ctx, topic, 1, hear); f.Err == nil {
		f.Err = c.echo(ctx, echoes, nonce, true)
	}
	if f.Retain = f.Err == nil; !f.Retain {
		f.Err = fmt.Errorf("mqtt: %s did not keep the retained message under %s: %w (are retained messages switched off?)", c.to.host, topic, f.Err)
	}
	return f
}

// echo waits for the message with the payload nonce and, as a broker flags what it kept, the retain flag.
func (c *Conn) echo(ctx context.Context, echoes <-chan Message, nonce string, retained bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, echoWait, errNoEcho)
	defer cancel()
	for {
		select {
		case m := <-echoes:
			if string(m.Payload) == nonce && m.Retain == retained {
				return nil
			}
		case <-c.ended:
			return c.over()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
