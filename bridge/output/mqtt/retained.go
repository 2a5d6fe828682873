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

// commandIdleTime is how long a broker must send nothing before a command takes its retained messages as complete.
const commandIdleTime = 500 * time.Millisecond

// command returns the settings of the connection of a command. Its client id ends with suffix, since the broker would close the connection of
// the bridge if both had the same id.
func (c Config) command(suffix string) broker.Config {
	to := c.broker()
	to.ClientID += suffix
	to.Will = broker.Message{}
	return to
}

// Retained connects to the broker and returns the retained payloads of meters. The first key is the meter's id, the second the rest of the
// topic, such as "import_power". A meter without retained topics is not in the map. With an *IncompleteError the payloads that were read are
// returned too.
func Retained(ctx context.Context, c Config, meters ...string) (map[string]map[string]string, error) {
	return retainedBelow(ctx, c, append([]string{}, meters...), c.valueFilter())
}

// retainedBelow returns the retained payloads that match the filters. The first key is the level below the base topic, which is one of ids, or
// any level if ids is nil. The second key is the rest of the topic.
func retainedBelow(ctx context.Context, c Config, ids []string, filters ...string) (map[string]map[string]string, error) {
	split := func(topic string) (id, name string) {
		id, name, _ = strings.Cut(strings.TrimPrefix(topic, c.BaseTopic+"/"), "/")
		return id, name
	}
	ours := func(topic string) bool {
		id, _ := split(topic)
		return ids == nil || slices.Contains(ids, id)
	}
	messages, err := readRetained(ctx, c, "-values", ours, filters...)
	all := map[string]map[string]string{}
	for _, m := range messages {
		id, name := split(m.Topic)
		if all[id] == nil {
			all[id] = map[string]string{}
		}
		all[id][name] = string(m.Payload)
	}
	return all, err
}

// readRetained connects to the broker and returns the retained messages that match the filters and whose topic is accepted, in no order. A nil
// accepts means every topic. The client id ends with suffix. With an *IncompleteError the messages that were read are returned too.
func readRetained(ctx context.Context, c Config, suffix string, accepts func(topic string) bool, filters ...string) ([]broker.Message, error) {
	conn, err := broker.Dial(ctx, c.command(suffix))
	if err != nil {
		return nil, err
	}
	s := &scan{host: c.URL, accepts: accepts, limits: commandLimits, idleTime: commandIdleTime}
	err = s.run(ctx, conn, c.testTopic(), filters)
	found, incomplete := s.result()
	return found, cmp.Or(errors.Join(err, conn.Close(ctx)), incomplete)
}

// RetainedAnnouncements connects to the broker and returns the retained announcements of every hanbridge, sorted by topic. With an
// *IncompleteError the announcements that were read are returned too.
func RetainedAnnouncements(ctx context.Context, c Config) ([]discovery.Message, error) {
	ours := func(topic string) bool { return strings.Contains(topic, "/hanbridge_") }
	found, err := readRetained(ctx, c, "-show", ours, c.announcedFilters("+")...)
	all := messagesOf(found)
	slices.SortFunc(all, func(a, b discovery.Message) int { return cmp.Compare(a.Topic, b.Topic) })
	return all, err
}

// messagesOf converts messages of a scan.
func messagesOf(found []broker.Message) (all []discovery.Message) {
	for _, m := range found {
		all = append(all, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	return all
}

// HubOnline reports whether the broker retains the birth message of a hub. Home Assistant does not retain that message unless it is set to do
// so, so false does not mean that there is no hub. The error says why this user cannot receive the message.
func HubOnline(ctx context.Context, c Config) (bool, error) {
	messages, err := readRetained(ctx, c, "-hub", nil, c.StatusTopic)
	return len(messages) > 0 && string(messages[0].Payload) == online, err
}

// TakeBack removes the retained messages of topics. Subscribers receive an empty message, at which a hub removes what was announced there. It
// returns when the broker has acknowledged every removal. A broker also acknowledges what its access rules forbid, so the caller should read
// the retained messages again.
func TakeBack(ctx context.Context, c Config, topics []string) error {
	to := c.command("-clear")
	to.Capabilities = new(broker.Capabilities)
	err := takeBack(ctx, to, topics)
	if err != nil && ctx.Err() == nil && !broker.Permanent(err) {
		err = takeBack(ctx, to, topics) // a broker without retained messages closes the first connection, and Dial then finds out its limits
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
