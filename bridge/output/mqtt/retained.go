package mqtt

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// quiet is how long the broker may be silent before it has sent all that it retains.
const quiet = 500 * time.Millisecond

// command returns the connection of a command beside the bridge: with the client id of the bridge it would throw that out.
func (c Config) command(suffix string) broker.Config {
	to := c.broker()
	to.ClientID += suffix
	to.Will = broker.Message{}
	return to
}

// Retained returns what the broker retains of meters: by the meter's id, then by the end of the topic, such as "import_power".
// A meter of which there is nothing is not in the map. With an *IncompleteError what was read is returned too.
func Retained(ctx context.Context, c Config, meters ...string) (map[string]map[string]string, error) {
	return retainedBelow(ctx, c, append([]string{}, meters...), c.valueFilter())
}

// retainedBelow returns what is retained under filters: by the level below the base topic, one of ids or any where these are nil, and what
// comes behind that.
func retainedBelow(ctx context.Context, c Config, ids []string, filters ...string) (map[string]map[string]string, error) {
	place := func(topic string) (id, name string) {
		id, name, _ = strings.Cut(strings.TrimPrefix(topic, c.BaseTopic+"/"), "/")
		return id, name
	}
	ours := func(topic string) bool {
		id, _ := place(topic)
		return ids == nil || slices.Contains(ids, id)
	}
	messages, err := kept(ctx, c, "-values", ours, filters...)
	all := map[string]map[string]string{}
	for _, m := range messages {
		id, name := place(m.Topic)
		if all[id] == nil {
			all[id] = map[string]string{}
		}
		all[id][name] = string(m.Payload)
	}
	return all, err
}

// kept returns the retained messages that fit the filters and are taken, in no order. suffix makes a client id of its own. With an
// *IncompleteError what was read is returned too.
func kept(ctx context.Context, c Config, suffix string, takes func(topic string) bool, filters ...string) ([]broker.Message, error) {
	conn, err := broker.Dial(ctx, c.command(suffix))
	if err != nil {
		return nil, err
	}
	s := &scan{host: c.URL, takes: takes, most: commandBounds, quiet: quiet}
	err = s.run(ctx, conn, c.testTopic(), filters)
	found, short := s.result()
	return found, cmp.Or(errors.Join(err, conn.Close(ctx)), short)
}

// RetainedAnnouncements returns what the broker retains of the announcements of bridges such as this one, in the order of topics. With an
// *IncompleteError what was read is returned too.
func RetainedAnnouncements(ctx context.Context, c Config) ([]discovery.Message, error) {
	ours := func(topic string) bool { return strings.Contains(topic, "/hanbridge_") }
	found, err := kept(ctx, c, "-show", ours, c.announcedFilters("+")...)
	all := messagesOf(found)
	slices.SortFunc(all, func(a, b discovery.Message) int { return cmp.Compare(a.Topic, b.Topic) })
	return all, err
}

func messagesOf(found []broker.Message) (all []discovery.Message) {
	for _, m := range found {
		all = append(all, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	return all
}

// HubOnline tells if a hub has announced itself, as far as the broker has kept it. Home Assistant says so when it starts, and has
// it kept where it was told to: false does not mean that there is none. An error says why this user cannot hear it.
func HubOnline(ctx context.Context, c Config) (bool, error) {
	messages, err := kept(ctx, c, "-hub", nil, c.StatusTopic)
	return len(messages) > 0 && string(messages[0].Payload) == online, err
}

// TakeBack has the broker forget what it retains under topics, and tells its subscribers so: a hub drops what was announced
// there. It returns when the broker has acknowledged all, which a broker does also where its rules forbid the topic: look again.
func TakeBack(ctx context.Context, c Config, topics []string) error {
	to := c.command("-clear")
	to.Capabilities = new(broker.Capabilities)
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
