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
	var all []broker.Message
	// One after the other: mochi refuses a subscription while messages of the one before are under way.
	for i, filter := range filters {
		if err = conn.Subscribe(ctx, filter, 1, hear); err != nil {
			break
		}
		silence := between
		if i == len(filters)-1 {
			silence = quiet
		}
		if all, err = appendRetained(ctx, all, heard, silence); err != nil {
			break
		}
	}
	return all, errors.Join(err, conn.Close(ctx))
}

// appendRetained appends what is heard until the broker is silent for so long.
func appendRetained(ctx context.Context, all []broker.Message, heard <-chan broker.Message, silence time.Duration) ([]broker.Message, error) {
	for {
		select {
		case m := <-heard:
			if m.Retain {
				m.Payload = slices.Clone(m.Payload)
				all = append(all, m)
			}
		case <-time.After(silence):
			return all, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
