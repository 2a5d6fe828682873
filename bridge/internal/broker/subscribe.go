package broker

import (
	"context"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// granted is the highest return code of a SUBACK that says yes: it is the quality of service. MQTT 3.1.1, 3.9.3 has one code that
// says no; some brokers answer with those of MQTT 5 too.
const granted = 2

// After answerTime a subscription counts as not answered, and the broker as one that answers none: it is not waited for so long again.
const (
	answerTime = 5 * time.Second
	muteTime   = 100 * time.Millisecond
)

// ErrUnanswered is in the error of a subscription that was not answered in time: what comes nevertheless is heard.
var ErrUnanswered = errors.New("is it overloaded? Look at its log")

// Subscribe asks for the messages of topic, which may hold + and #, and returns when the broker has agreed. It may be called from
// several goroutines, and from f. Each message is given to f in a goroutine of its own: f may block and may publish elsewhere, several
// calls may run at a time, and their order is not that of the messages. f owns its Message. A topic that is subscribed to again gets the
// later f, and the retained messages once more. A broker that does not answer within 5 s is an error; the connection lives on, and f hears
// what comes all the same. Messages of more than 1 MiB are not read.
func (c *Conn) Subscribe(ctx context.Context, topic string, qos byte, f func(Message)) error {
	if err := c.over(); err != nil {
		return err
	}
	for range 2 { // Mochi refuses a request whose packet identifier one of its own messages has at the moment: the next has another
		token := c.client.Subscribe(topic, qos, func(_ mqtt.Client, m mqtt.Message) {
			f(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()})
		})
		if err := c.answered(ctx, token, "the subscription to "+topic); err != nil {
			return err
		}
		if token.(*mqtt.SubscribeToken).Result()[topic] <= granted {
			return nil
		}
	}
	return fmt.Errorf("mqtt: %s does not let this user subscribe to %s (look at its access rules)", c.to.host, topic)
}

// Unsubscribe ends subscriptions, and returns when the broker has agreed. It waits as long as Subscribe does.
func (c *Conn) Unsubscribe(ctx context.Context, topics ...string) error {
	if err := c.over(); err != nil {
		return err
	}
	return c.answered(ctx, c.client.Unsubscribe(topics...), "the end of a subscription")
}

// answered waits for the answer to a request.
func (c *Conn) answered(ctx context.Context, token mqtt.Token, request string) error {
	wait := answerTime
	if c.mute.Load() {
		wait = muteTime
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	select {
	case <-token.Done():
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		return fmt.Errorf("mqtt: %s has not answered %s: %w", c.to.host, request, context.Cause(ctx))
	case <-patience.C:
		c.mute.Store(true)
		return fmt.Errorf("mqtt: %s has not answered %s within %v (%w)", c.to.host, request, answerTime, ErrUnanswered)
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("mqtt: %s: %w", request, err)
	}
	return nil
}

// tooLarge is told of a message that was discarded. It runs where the connection is read.
func (c *Conn) tooLarge(topic string, bytes int) {
	if c.to.OnOversized != nil {
		c.to.OnOversized(fmt.Errorf("mqtt: a message of %d bytes came under %q and was not read: %d is the most (who publishes that? If the "+
			"broker keeps it, publish an empty retained message there)", bytes, topic, mostInbound))
	}
}
