package mqtt

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// Retained returns what the broker retains of meters: by the meter's id, then by the end of the topic, such as "import_power".
// A meter of which there is nothing is not in the map.
func Retained(ctx context.Context, c Config, meters ...string) (map[string]map[string]string, error) {
	messages, err := kept(ctx, c, "-values", c.valueFilter())
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, m := range messages {
		id, name, _ := strings.Cut(strings.TrimPrefix(m.Topic, c.BaseTopic+"/"), "/")
		if !slices.Contains(meters, id) {
			continue
		}
		if all[id] == nil {
			all[id] = map[string]string{}
		}
		all[id][name] = string(m.Payload)
	}
	return all, nil
}

// kept returns the retained messages that fit the filters, in no order. suffix makes a client id of its own: that of the bridge would
// throw it out.
func kept(ctx context.Context, c Config, suffix string, filters ...string) ([]broker.Message, error) {
	to := c.broker()
	to.ClientID += suffix
	to.Will = broker.Message{}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	heard, over := make(chan broker.Message), make(chan struct{})
	defer close(over)
	hear := func(m broker.Message) {
		select {
		case heard <- m:
		case <-over:
		}
	}
	for _, filter := range filters {
		// Quality 0: of quality 1 a broker keeps so many for a client (Mosquitto 1000), and drops the rest.
		if err := conn.Subscribe(ctx, filter, 0, hear); err != nil {
			return nil, errors.Join(err, conn.Close(ctx))
		}
	}
	all, err := allRetained(ctx, heard)
	return all, errors.Join(err, conn.Close(ctx))
}

// allRetained returns what is heard until the broker is silent.
func allRetained(ctx context.Context, heard <-chan broker.Message) (all []broker.Message, err error) {
	for {
		select {
		case m := <-heard:
			if m.Retain {
				m.Payload = slices.Clone(m.Payload)
				all = append(all, m)
			}
		case <-time.After(quiet):
			return all, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
