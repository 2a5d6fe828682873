package mqtt

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// quiet is how long the broker may be silent before it has sent all that it retains.
const quiet = 500 * time.Millisecond

// Announced returns what the broker retains of the announcements of bridges such as this one, in the order of topics.
func Announced(ctx context.Context, c Config) ([]discovery.Message, error) {
	to := c.broker()
	to.ClientID += "-show" // the same id would throw out the bridge
	to.Will = broker.Message{}
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return nil, err
	}
	heard := make(chan discovery.Message, 1024)
	hear := func(m broker.Message) {
		if m.Retain && strings.Contains(m.Topic, "/hanbridge_") && strings.HasSuffix(m.Topic, "/config") {
			heard <- discovery.Message{Topic: m.Topic, Payload: slices.Clone(m.Payload)}
		}
	}
	for _, filter := range []string{"/+/+/config", "/+/+/+/config"} {
		if err := conn.Subscribe(ctx, c.Prefix+filter, 1, hear); err != nil {
			return nil, err
		}
	}
	var all []discovery.Message
	for {
		select {
		case m := <-heard:
			all = append(all, m)
		case <-time.After(quiet):
			slices.SortFunc(all, func(a, b discovery.Message) int { return cmp.Compare(a.Topic, b.Topic) })
			return all, conn.Close(ctx)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
