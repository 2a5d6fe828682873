package broker

import (
	"context"
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// granted is the highest return code of a SUBACK that says yes: it is the quality of service. MQTT 3.1.1, 3.9.3 has one code that
// says no; some brokers answer with those of MQTT 5 too.
const granted = 2

// Subscribe asks for the messages of topic, which may hold + and #, and returns when the broker has agreed. It may be called from
// several goroutines, and from f. Each message is given to f in a goroutine of its own: f may block and may publish elsewhere, several
// calls may run at a time, and their order is not that of the messages. f owns its Message. A topic that is subscribed to again gets the
// later f, and the retained messages once more.
func (c *Conn) Subscribe(ctx context.Context, topic string, qos byte, f func(Message)) error {
	if err := c.over(); err != nil {
		return err
	}
	token := c.client.Subscribe(topic, qos, func(_ mqtt.Client, m mqtt.Message) {
		f(Message{Topic: m.Topic(), Payload: m.Payload(), QoS: m.Qos(), Retain: m.Retained()})
	})
	select {
	case <-token.Done():
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		return fmt.Errorf("mqtt: %s has not answered the subscription to %s: %w", c.to.host, topic, context.Cause(ctx))
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("mqtt: subscribe to %s: %w", topic, err)
	}
	for _, code := range token.(*mqtt.SubscribeToken).Result() {
		if code > granted {
			return fmt.Errorf("mqtt: %s does not let this user subscribe to %s (look at its access rules)", c.to.host, topic)
		}
	}
	return nil
}

// Unsubscribe ends subscriptions, and returns when the broker has agreed.
func (c *Conn) Unsubscribe(ctx context.Context, topics ...string) error {
	if err := c.over(); err != nil {
		return err
	}
	token := c.client.Unsubscribe(topics...)
	select {
	case <-token.Done():
		return token.Error()
	case <-c.ended:
		return c.over()
	case <-ctx.Done():
		return fmt.Errorf("mqtt: %s has not answered: %w", c.to.host, context.Cause(ctx))
	}
}
