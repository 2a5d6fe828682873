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
	// Denied says, in words for people, under which topics nothing may be published, or nothing comes back.
	Denied []error
	// RetainAvailable tells if the broker keeps retained messages, under all topics that were tried.
	RetainAvailable bool
	// Refused has an error for each size that the broker does not take, the largest first.
	Refused []*RefusedError
}

// Check logs in beside a running bridge, as "<ClientID>-check", and tries out topics: it publishes a message under each, waits for it to
// come back, publishes another to be kept, asks whether it was, and takes it back. Then it tries packets of sizes, in bytes, under the
// first topic; begin with the largest. Nothing else may live under the topics. The error is Dial's.
func Check(ctx context.Context, c Config, sizes []int, topics ...string) (Report, error) {
	p, err := c.resolve()
	if err != nil {
		return Report{}, err
	}
	said, _ := p.ask(ctx) // a broker that says nothing is tried
	report, n := Report{RetainAvailable: !said.noRetain}, 0
	next := func() endpoint { // a broker may still be busy with the connection before: each has a client id of its own
		n++
		return p.beside("-check" + strconv.Itoa(n))
	}
	for _, topic := range topics {
		kept, denied, err := next().tryTopic(ctx, topic, !said.noRetain)
		if err != nil {
			return report, err
		}
		if denied != nil {
			report.Denied = append(report.Denied, denied)
		}
		report.RetainAvailable = report.RetainAvailable && (kept || denied != nil)
	}
	for _, size := range sizes {
		e := &RefusedError{p.host, sizeTrial, size, tellsLimit, said.most}
		if said.most == 0 || size <= said.most {
			e, err = next().trySize(ctx, topics[0], size)
		}
		if err != nil || e == nil {
			return report, err
		}
		report.Refused = append(report.Refused, e)
	}
	return report, nil
}

// tryTopic makes a connection, since some brokers answer a forbidden topic by closing it. It publishes before it has read anything: a broker
// acknowledges what its access rules forbid as well, so that only the echo tells.
func (p endpoint) tryTopic(ctx context.Context, topic string, retain bool) (kept bool, denied, err error) {
	conn, err := p.once(ctx)
	if err != nil {
		return false, nil, err
	}
	m := Message{Topic: topic, Payload: fmt.Appendf(nil, "hanbridge check %d", time.Now().UnixNano()), QoS: 1}
	denied = conn.echo(ctx, m)
	switch {
	case errors.As(denied, new(hungUp)):
		denied = fmt.Errorf("mqtt: %s closed the connection when %s was published (may this user publish there?)", p.host, topic)
	case errors.Is(denied, errNoEcho):
		denied = fmt.Errorf("mqtt: %s did not give back what was published under %s: %w (may this user publish and subscribe there?)", p.host, topic, denied)
	case denied == nil && retain:
		m.Payload, m.Retain = append(m.Payload, " kept"...), true
		kept = errors.Join(conn.echo(ctx, m), conn.Publish(Message{Topic: topic, QoS: 1, Retain: true})) == nil
	}
	if err := conn.Close(ctx); denied == nil && !errors.As(err, new(hungUp)) {
		denied = err
	}
	return kept, denied, nil
}

// sizeTrial is the topic in the errors of trySize.
const sizeTrial = "an announcement"

// trySize publishes a packet of a size. It returns nil where it came back.
func (p endpoint) trySize(ctx context.Context, topic string, size int) (*RefusedError, error) {
	conn, err := p.once(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	m := Message{Topic: topic, QoS: 1}
	m.Payload = []byte(strings.Repeat("x", max(size-packetSize(&m), 1)))
	switch err := conn.echo(ctx, m); {
	case err == nil:
		return nil, nil
	case conn.Err() != nil:
		return &RefusedError{p.host, sizeTrial, size, hangsUp, size}, nil
	}
	return &RefusedError{p.host, sizeTrial, size, loses, size}, nil
}

// echoWait is how long a message may take to the broker and back.
const echoWait = 2 * time.Second

var errNoEcho = fmt.Errorf("nothing within %v", echoWait)

// echo publishes a message and waits for it to come back; a retained one to a subscription made later, flagged as one that was kept.
func (c *Conn) echo(ctx context.Context, m Message) error {
	if m.Retain {
		if err := errors.Join(c.Publish(m), c.Flush(ctx)); err != nil {
			return err
		}
	}
	echoes := make(chan Message, 16)
	err := c.Subscribe(ctx, m.Topic, 1, func(heard Message) {
		select {
		case echoes <- heard:
		default: // somebody else's: more than were asked for
		}
	})
	if err == nil && !m.Retain {
		err = c.Publish(m)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, echoWait, errNoEcho)
	defer cancel()
	for {
		select {
		case heard := <-echoes:
			if string(heard.Payload) == string(m.Payload) && heard.Retain == m.Retain {
				return nil
			}
		case <-c.ended:
			return c.over()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
