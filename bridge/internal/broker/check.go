package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Report is the result of Check.
type Report struct {
	// Denied has an error for each topic under which publishing failed or the message did not come back. The errors are texts for users.
	Denied []error
	// RetainAvailable is true if the broker retained a message under every permitted topic.
	RetainAvailable bool
	// Refused has an error for each packet size that the broker does not accept, the largest first.
	Refused []*RefusedError
}

// Check tests which topics and messages the broker permits this client. Its client ids are "<ClientID>-check1", "-check2" and so on, so
// it does not disturb a running bridge. Under each topic it publishes a message and waits for it to come back. Then it publishes a
// retained message, reads it with a new subscription and removes it. It also publishes packets of the given sizes, in bytes and in
// descending order, under the first topic. Other programs must not use these topics. If a connection cannot be made, Check
// returns the error of Dial.
func Check(ctx context.Context, c Config, sizes []int, topics ...string) (Report, error) {
	p, err := c.resolve()
	if err != nil {
		return Report{}, err
	}
	stated, _ := p.queryLimits(ctx) // if the query fails, the tests below still show the limits
	report, connections := Report{RetainAvailable: !stated.noRetain}, 0
	next := func() target { // a new client id for each connection, because the broker is possibly still closing the previous connection
		connections++
		return p.forSeparateConnection("-check" + strconv.Itoa(connections))
	}
	for _, topic := range topics {
		retained, denied, err := next().probeTopic(ctx, topic, !stated.noRetain)
		if err != nil {
			return report, err
		}
		if denied != nil {
			report.Denied = append(report.Denied, denied)
		}
		report.RetainAvailable = report.RetainAvailable && (retained || denied != nil)
	}
	for _, size := range sizes {
		e := &RefusedError{p.host, announcementLabel, size, statesLimit, stated.maxPacket}
		if stated.maxPacket == 0 || size <= stated.maxPacket { // the stated limit does not refuse the size, so a packet must show it
			e, err = next().probeSize(ctx, topics[0], size)
		}
		if err != nil || e == nil { // if e is nil, the broker accepts this size, and so the smaller sizes too
			return report, err
		}
		report.Refused = append(report.Refused, e)
	}
	return report, nil
}

// probeTopic tests publishing under topic and, if retain is set, retaining a message there. denied is the reason if publishing is not
// possible. Call probeTopic with a new client id for each topic, because some brokers close the connection at a forbidden topic. Other brokers acknowledge a
// forbidden message without delivering it. So only the echo shows that the topic is permitted.
func (p target) probeTopic(ctx context.Context, topic string, retain bool) (retained bool, denied, err error) {
	conn, err := p.dialOnce(ctx)
	if err != nil {
		return false, nil, err
	}
	m := Message{Topic: topic, Payload: fmt.Appendf(nil, "hanbridge check %d", time.Now().UnixNano()), QoS: 1}
	denied = conn.echo(ctx, m)
	switch {
	case errors.As(denied, new(closedByPeer)):
		denied = fmt.Errorf("mqtt: %s closed the connection when %s was published (is this user allowed to publish there?)", p.host, topic)
	case errors.Is(denied, errNoEcho):
		denied = fmt.Errorf("mqtt: %s did not give back what was published under %s: %w (is this user allowed to publish and subscribe there?)", p.host, topic, denied)
	case denied == nil && retain:
		m.Payload, m.Retain = append(m.Payload, " retained"...), true // another payload, so that the first echo is not counted again
		// The second message is empty, and removes the retained message.
		retained = errors.Join(conn.echo(ctx, m), conn.Publish(Message{Topic: topic, QoS: 1, Retain: true})) == nil
	}
	// If the broker closes the connection only after the echo, the topic is not denied.
	if err := conn.Close(ctx); denied == nil && !errors.As(err, new(closedByPeer)) {
		denied = err
	}
	return retained, denied, nil
}

// announcementLabel replaces the topic in an error about a packet size, because the largest packets of the bridge are announcements.
const announcementLabel = "an announcement"

// probeSize publishes a packet of size bytes on a separate connection. It returns a nil *RefusedError if the packet came back.
func (p target) probeSize(ctx context.Context, topic string, size int) (*RefusedError, error) {
	conn, err := p.dialOnce(ctx)
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
		return &RefusedError{p.host, announcementLabel, size, closesConnection, size}, nil
	}
	return &RefusedError{p.host, announcementLabel, size, dropsSilently, size}, nil
}

// echoTimeout is how long echo waits for the message to come back.
const echoTimeout = 2 * time.Second

// errNoEcho is the error of a message that did not come back.
var errNoEcho = fmt.Errorf("nothing within %v", echoTimeout)

// echo publishes m and waits for it to come back. If m is retained, echo subscribes only after the broker has acknowledged m, and waits
// for the copy with the retain flag. The error is errNoEcho if m did not come back in time.
func (c *Conn) echo(ctx context.Context, m Message) error {
	if m.Retain {
		if err := errors.Join(c.Publish(m), c.Flush(ctx)); err != nil {
			return err
		}
	}
	echoes := make(chan Message, 16)
	err := c.Subscribe(ctx, m.Topic, 1, func(received Message) {
		select {
		case echoes <- received:
		default: // echoes is full of messages from other programs
		}
	})
	if err == nil && !m.Retain {
		err = c.Publish(m)
	}
	if err != nil {
		return err
	}
	c.Send()
	ctx, cancel := context.WithTimeoutCause(ctx, echoTimeout, errNoEcho)
	defer cancel()
	for {
		select {
		case received := <-echoes:
			if string(received.Payload) == string(m.Payload) && received.Retain == m.Retain {
				return nil
			}
		case <-c.ended:
			return c.endErr()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
