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

// commandIdleTime is how long a broker must send nothing before a command assumes that all retained messages have arrived, unless a marker shows
// this earlier (see scan.run).
const commandIdleTime = 500 * time.Millisecond

// commandConfig returns the settings of the connection of a command. The client id ends with suffix, because the broker would close the
// bridge's connection if the command had the same client id.
func (c Config) commandConfig(suffix string) broker.Config {
	connConfig := c.brokerConfig()
	connConfig.ClientID += suffix
	connConfig.Will = broker.Message{}
	return connConfig
}

// Retained connects to the broker and returns the retained payloads of meters. The first key is the meter's id, the second the rest of the
// topic, such as "import_power". A meter without retained topics is not in the map. With an *IncompleteError, Retained also returns the
// payloads that were read.
func Retained(ctx context.Context, c Config, meters ...string) (map[string]map[string]string, error) {
	return retainedBelow(ctx, c, append([]string{}, meters...), c.valueFilter())
}

// retainedBelow returns the retained payloads that match the filters. The first key is the topic level below the base topic: only the levels
// in ids, or every level if ids is nil. The second key is the rest of the topic; "" if there is none.
func retainedBelow(ctx context.Context, c Config, ids []string, filters ...string) (map[string]map[string]string, error) {
	split := func(topic string) (id, name string) {
		id, name, _ = strings.Cut(strings.TrimPrefix(topic, c.BaseTopic+"/"), "/")
		return id, name
	}
	accepts := func(topic string) bool {
		id, _ := split(topic)
		return ids == nil || slices.Contains(ids, id)
	}
	messages, err := readRetained(ctx, c, "-values", accepts, filters...)
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

// readRetained connects to the broker and returns the retained messages that match the filters, in no particular order. accepts selects
// messages by their topic; nil selects every message. The client id ends with suffix. With an *IncompleteError, readRetained also returns the
// messages that were read.
func readRetained(ctx context.Context, c Config, suffix string, accepts func(topic string) bool, filters ...string) ([]broker.Message, error) {
	conn, err := broker.Dial(ctx, c.commandConfig(suffix))
	if err != nil {
		return nil, err
	}
	s := &scan{url: c.URL, accepts: accepts, limits: commandLimits, idleTime: commandIdleTime}
	err = s.run(ctx, conn, marker{topic: c.statusTopic()}, filters)
	found, incompleteErr := s.result()
	return found, cmp.Or(errors.Join(err, conn.Close(ctx)), incompleteErr)
}

// RetainedAnnouncements connects to the broker and returns the retained announcements of every hanbridge, sorted by topic. With an
// *IncompleteError, RetainedAnnouncements also returns the announcements that were read.
func RetainedAnnouncements(ctx context.Context, c Config) ([]discovery.Message, error) {
	isHanbridge := func(topic string) bool { return strings.Contains(topic, "/hanbridge_") }
	found, err := readRetained(ctx, c, "-show", isHanbridge, c.announcedFilters("+")...)
	all := discoveryMessages(found)
	slices.SortFunc(all, func(a, b discovery.Message) int { return cmp.Compare(a.Topic, b.Topic) })
	return all, err
}

// discoveryMessages converts the messages of a scan to messages of package discovery.
func discoveryMessages(found []broker.Message) (all []discovery.Message) {
	for _, m := range found {
		all = append(all, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	return all
}

// HubOnline reports whether the broker retains the birth message of a hub. By default Home Assistant does not retain that message, so a
// hub possibly runs although HubOnline returns false. The error says why this user cannot receive the message.
func HubOnline(ctx context.Context, c Config) (bool, error) {
	messages, err := readRetained(ctx, c, "-hub", nil, c.StatusTopic)
	return len(messages) > 0 && string(messages[0].Payload) == online, err
}

// RemoveRetained removes the retained messages of topics by publishing an empty message to each topic. A hub that receives an empty message removes
// the entities that were announced there. RemoveRetained returns when the broker has acknowledged every message. A broker also acknowledges a
// message that its access rules forbid, so the caller should read the retained messages again.
func RemoveRetained(ctx context.Context, c Config, topics []string) error {
	connConfig := c.commandConfig("-clear")
	connConfig.Capabilities = new(broker.Capabilities)
	err := removeRetained(ctx, connConfig, topics)
	if err != nil && ctx.Err() == nil && !broker.Permanent(err) {
		err = removeRetained(ctx, connConfig, topics) // some brokers close a connection at a retained message; the second Dial detects such a broker
	}
	return err
}

// removeRetained does what RemoveRetained does, on one connection.
func removeRetained(ctx context.Context, connConfig broker.Config, topics []string) error {
	conn, err := broker.Dial(ctx, connConfig)
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
