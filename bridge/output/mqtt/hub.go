package mqtt

import (
	"context"
	"errors"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// CheckHub connects and tells whether the bridge may hear that a hub has started.
func CheckHub(ctx context.Context, c Config) error {
	to := c.broker()
	to.ClientID += "-hub"
	to.Will = broker.Message{}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return err
	}
	return errors.Join(conn.Subscribe(ctx, c.StatusTopic, 1, func(broker.Message) {}), conn.Close(ctx))
}

// Hub tells if a hub has announced itself, as far as the broker has kept it. Home Assistant says so when it starts, and has
// it kept where it was told to: false does not mean that there is none.
func Hub(ctx context.Context, c Config) (bool, error) {
	to := c.broker()
	to.ClientID += "-hub" // the same id would throw out the bridge
	to.Will = broker.Message{}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return false, err
	}
	heard := make(chan bool, 1)
	hear := func(m broker.Message) {
		select {
		case heard <- string(m.Payload) == online:
		default:
		}
	}
	if err := conn.Subscribe(ctx, c.StatusTopic, 1, hear); err != nil {
		_ = conn.Close(ctx)
		return false, err
	}
	there := false
	select {
	case there = <-heard:
	case <-time.After(quiet):
	case <-ctx.Done():
	}
	return there, conn.Close(ctx)
}
