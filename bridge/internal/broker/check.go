package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Report is what Check found out.
type Report struct {
	Findings []Finding // of each topic
	// Retains tells if the broker keeps retained messages, under all topics that were tried.
	Retains bool
	// Refused has an error for each size that the broker does not take, the largest first.
	Refused []*RefusedError
}

// A Finding is what Check found out about one topic.
type Finding struct {
	Topic   string
	Publish bool  // a message came back: publishing and reading are allowed
	Retain  bool  // the broker kept a retained message
	Err     error // why it may not be published there, in words for people; nil if it may
}

// echoWait is how long a message may take to the broker and back.
const echoWait = 2 * time.Second

// Check logs in beside a running bridge, as "<ClientID>-check", and tries out topics: it publishes a message under each, waits for it to
// come back, publishes another to be kept, asks whether it was, and takes it back. Then it tries packets of sizes, in bytes, under the
// first topic; begin with the largest. Nothing else may live under the topics. The error is Dial's; what is wrong with a topic is in its
// Finding.
func Check(ctx context.Context, c Config, sizes []int, topics ...string) (Report, error) {
	p, err := c.resolve()
	if err != nil {
		return Report{}, err
	}
	said, _ := p.ask(ctx)  // a broker that says nothing is tried
	p.ClientID += "-check" // the same id would throw out the bridge
	p.Will, p.Terms, p.Conflict = Message{}, nil, nil
	report := Report{Retains: !said.noRetain}
	for i, topic := range topics {
		f, err := p.numbered(i).tryTopic(ctx, topic, !said.noRetain)
		if err != nil {
			return report, err
		}
		report.Findings = append(report.Findings, f)
		report.Retains = report.Retains && (f.Retain || !f.Publish)
	}
	for i, size := range sizes {
		e, err := p.numbered(len(topics)+i).trySize(ctx, topics[0], size, said)
		if err != nil || e == nil {
			return report, err
		}
		report.Refused = append(report.Refused, e)
	}
	return report, nil
}

// numbered has a client id of its own: a broker may still be busy with the connection before.
func (p place) numbered(i int) place {
	p.ClientID += strconv.Itoa(i)
	return p
}

var errNoEcho = fmt.Errorf("nothing within %v", echoWait)

// tryTopic makes a connection, since some brokers answer a forbidden topic by closing it. It publishes before it has read anything: a broker
// acknowledges what its access rules forbid as well, so that only the echo tells.
func (p place) tryTopic(ctx context.Context, topic string, retain bool) (f Finding, err error) {
	f.Topic = topic
	conn, err := p.dial(ctx)
	if err != nil {
		return f, err
	}
	nonce := fmt.Sprintf("hanbridge check %d", time.Now().UnixNano())
	if f.Err = conn.publishAndReceive(ctx, topic, nonce); f.Err == nil {
		f.Publish = true
		if retain {
			f.Retain = conn.retains(ctx, topic, nonce+" kept")
		}
	}
	if err := conn.Close(ctx); f.Err == nil && !errors.As(err, new(hungUp)) {
		f.Err = err
	}
	return f, nil
}

// publishAndReceive publishes a message and waits for it to come back.
func (c *Conn) publishAndReceive(ctx context.Context, topic, payload string) error {
	echoes, err := c.subscribeEchoes(ctx, topic)
	if err != nil {
		return err
	}
	if err := c.Publish(Message{Topic: topic, Payload: []byte(payload), QoS: 1}); err != nil {
		return err
	}
	err = c.awaitEcho(ctx, echoes, payload, false)
	if errors.As(err, new(hungUp)) {
		return fmt.Errorf("mqtt: %s closed the connection when %s was published (may this user publish there?)", c.to.host, topic)
	}
	if err != nil {
		return fmt.Errorf("mqtt: %s did not give back what was published under %s: %w (may this user publish and subscribe there?)", c.to.host, topic, err)
	}
	return nil
}

// retains tells if the broker keeps a message, which is taken back.
func (c *Conn) retains(ctx context.Context, topic, payload string) bool {
	if c.Publish(Message{Topic: topic, Payload: []byte(payload), QoS: 1, Retain: true}) != nil || c.Flush(ctx) != nil {
		return false
	}
	echoes, err := c.subscribeEchoes(ctx, topic)
	if err == nil {
		err = c.awaitEcho(ctx, echoes, payload, true)
	}
	return errors.Join(err, c.Publish(Message{Topic: topic, QoS: 1, Retain: true})) == nil
}

// trySize publishes a packet of a size. It returns nil where it came back.
func (p place) trySize(ctx context.Context, topic string, size int, said limits) (*RefusedError, error) {
	e := &RefusedError{Host: p.host, Topic: "an announcement", Size: size}
	if said.most > 0 && size > said.most {
		e.Limit = said.most
		return e, nil
	}
	conn, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	empty := Message{Topic: topic, QoS: 1}
	err = conn.publishAndReceive(ctx, topic, strings.Repeat("x", max(size-packetSize(&empty), 1)))
	switch {
	case err == nil:
		return nil, nil
	case conn.Err() != nil:
		e.Cut = size
	default:
		e.Lost = true
	}
	return e, nil
}

// subscribeEchoes subscribes.
func (c *Conn) subscribeEchoes(ctx context.Context, topic string) (<-chan Message, error) {
	echoes := make(chan Message, 16)
	return echoes, c.Subscribe(ctx, topic, 1, func(m Message) {
		select {
		case echoes <- m:
		default: // somebody else's: more than were asked for
		}
	})
}

// awaitEcho waits for the message with the payload nonce and, as a broker flags what it kept, the retain flag.
func (c *Conn) awaitEcho(ctx context.Context, echoes <-chan Message, nonce string, retained bool) error {
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
