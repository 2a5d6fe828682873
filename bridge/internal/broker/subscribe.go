package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// maxGrantedCode is the highest return code of a SUBACK that grants a subscription. The codes 0 to 2 are the granted QoS. MQTT 3.1.1
// (section 3.9.3) has one failure code, 0x80. Some brokers also send the failure codes of MQTT 5, which are above 0x80.
const maxGrantedCode = 2

// answerTimeout is how long Subscribe and Unsubscribe wait for the answer of the broker. After a timeout, each later call for the same
// connection waits only for shortAnswerTimeout.
const (
	answerTimeout      = 5 * time.Second
	shortAnswerTimeout = 100 * time.Millisecond
)

// ErrUnanswered is wrapped by the error of a Subscribe or Unsubscribe that the broker has not answered in time. Its text is only the advice at
// the end of that error.
var ErrUnanswered = errors.New("is the broker overloaded? Look at its log")

// Subscribe subscribes to a topic filter with at most the given QoS and returns when the broker has granted it. It is safe for concurrent
// use. The messages of all subscriptions are passed to their functions one after another, in the order in which the broker sent them. f must
// not block, and must not call methods of c, because no packet is read until f returns. f owns its Message. A later Subscribe with the same
// filter replaces f and causes the broker to send the retained messages again. If the broker does not answer in time, the error wraps
// ErrUnanswered. The connection then remains usable, and f still receives messages that arrive. Messages above 1 MiB are discarded.
func (c *Conn) Subscribe(ctx context.Context, topic string, qos byte, f func(Message)) error {
	if err := c.endErr(); err != nil {
		return err
	}
	// The broker Mochi refuses a SUBSCRIBE if its packet identifier is in use by a message from the broker. The second SUBSCRIBE has another
	// identifier.
	for range 2 {
		token := c.client.Subscribe(topic, qos, func(_ mqtt.Client, m mqtt.Message) {
			f(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()})
			if m.Qos() > 0 {
				go m.Ack() // Ack waits until the network accepts the acknowledgement
			}
		})
		if err := c.awaitResponse(ctx, token, "the subscription to "+topic); err != nil {
			return err
		}
		if token.(*mqtt.SubscribeToken).Result()[topic] <= maxGrantedCode {
			return nil
		}
	}
	return fmt.Errorf("mqtt: %s does not let this user subscribe to %s (look at its access rules)", c.target.host, topic)
}

// Unsubscribe ends the subscriptions to topic filters and returns when the broker has acknowledged that. It has the same time limit as
// Subscribe and is safe for concurrent use.
func (c *Conn) Unsubscribe(ctx context.Context, topics ...string) error {
	if err := c.endErr(); err != nil {
		return err
	}
	return c.awaitResponse(ctx, c.client.Unsubscribe(topics...), "the end of a subscription")
}

// awaitResponse waits for the answer to a SUBSCRIBE or UNSUBSCRIBE. The error contains the text request, which describes the packet.
func (c *Conn) awaitResponse(ctx context.Context, token mqtt.Token, request string) error {
	wait := answerTimeout
	if c.answerTimedOut.Load() {
		wait = shortAnswerTimeout
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	select {
	case <-token.Done():
	case <-c.ended:
		return c.endErr()
	case <-ctx.Done():
		return fmt.Errorf("mqtt: %s has not answered %s: %w", c.target.host, request, context.Cause(ctx))
	case <-timeout.C:
		c.answerTimedOut.Store(true)
		return fmt.Errorf("mqtt: %s has not answered %s within %v (%w)", c.target.host, request, wait, ErrUnanswered)
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("mqtt: %s: %w", request, err)
	}
	return nil
}

// reportOversized passes an error for a discarded message to OnOversized. It runs on the goroutine that reads the connection.
func (c *Conn) reportOversized(topic string, bytes int) {
	if c.target.OnOversized != nil {
		c.target.OnOversized(fmt.Errorf("mqtt: a message of %d bytes arrived under %q and was discarded: the limit is %d bytes (which "+
			"program publishes there? If the message is retained, remove it with an empty retained message)", bytes, topic, maxInboundPacket))
	}
}
