package mqtt

import (
	"context"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// TakeBack has the broker forget what it retains under topics, and tells its subscribers so: a hub drops what was announced
// there. It returns when the broker has acknowledged all, which a broker does also where its rules forbid the topic: look again.
func TakeBack(ctx context.Context, c Config, topics []string) error {
	to := c.broker()
	to.ClientID += "-clear" // the same id would throw out the bridge
	to.Will = broker.Message{}
	to.Terms = new(broker.Terms)
	err := takeBack(ctx, to, topics)
	if err != nil && ctx.Err() == nil && !broker.Permanent(err) {
		err = takeBack(ctx, to, topics) // a broker that retains nothing ends the first connection, and is asked what it takes before the second
	}
	return err
}

func takeBack(ctx context.Context, to broker.Config, topics []string) error {
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return err
	}
	for _, topic := range topics {
		if err := conn.Publish(broker.Message{Topic: topic, QoS: 1, Retain: true}); err != nil {
			_ = conn.Close(ctx)
			return err
		}
	}
	return conn.Close(ctx)
}
