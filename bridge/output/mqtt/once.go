package mqtt

import (
	"errors"
	"strings"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/discovery"
)

// once is what has been said in the life of an output, and is not said again.
type once map[string]bool

// first tells if it is the first time.
func (o *once) first(what string) bool {
	if *o == nil {
		*o = once{}
	}
	said := (*o)[what]
	(*o)[what] = true
	return !said
}

// publish sends one message. If no broker accepts such a message, or this broker is known not to, publish logs an error and skips the
// message: sending it would end the connection, again and again, and no other message would arrive.
func (s *session) publish(topic string, payload []byte, retain bool) error {
	s.feed.Progress()
	err := s.conn.Publish(s.message(topic, payload, retain))
	if !errors.As(err, new(*broker.MessageError)) && !errors.As(err, new(*broker.RefusedError)) {
		return err
	}
	kind, text := topic, "message not published"
	if strings.HasPrefix(topic, s.config.Prefix+"/") { // there may be hundreds of them
		kind, text = "announcements", notAnnounced
	}
	if count, ok := s.limiter.Allow(kind); ok {
		ratelimit.Counted(s.log.Error().Err(err), count).Msg(text)
	}
	return nil
}

func (s *session) message(topic string, payload []byte, retain bool) broker.Message {
	return broker.Message{Topic: topic, Payload: payload, QoS: s.config.QoS, Retain: retain}
}

// notAnnounced is said of an announcement that the broker does not take: a person who looks for values finds them.
const notAnnounced = "announcement not published: home assistant does not show these entities; values are published all the same"

// refused is why this broker does not take one of the messages; nil if it takes all, as far as is known.
func (s *session) refused(steps [][]discovery.Message) error {
	for _, step := range steps {
		for _, m := range step {
			if err := s.conn.Takes(s.message(m.Topic, m.Payload, true)); err != nil {
				return err
			}
		}
	}
	return nil
}
