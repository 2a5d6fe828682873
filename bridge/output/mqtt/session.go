package mqtt

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// session is what is published over one connection.
type session struct {
	*Output
	conn   *broker.Conn
	feed   *bridge.Feed
	births chan struct{}
	birth  *time.Timer // when to introduce everything again after a hub's start
	later  *time.Timer // when to announce what was announced too short a time ago
	meters map[string]*meter
	buf    []byte
	first  zerolog.Level // of the log line of a first announcement
}

func newSession(o *Output, conn *broker.Conn, feed *bridge.Feed) *session {
	s := &session{
		Output: o, conn: conn, feed: feed,
		births: make(chan struct{}, 1), birth: time.NewTimer(time.Hour), later: time.NewTimer(time.Hour),
		meters: map[string]*meter{},
	}
	s.birth.Stop()
	s.later.Stop()
	return s
}

func (s *session) stop() {
	s.birth.Stop()
	s.later.Stop()
}

// birthPause is 1 to 5 s at random: a hub that has just started hears of many devices at once.
func birthPause() time.Duration { return time.Second + rand.N(4*time.Second) }

// begin says that the bridge is there, and everything it knows. A broker that was started again may have lost all.
func (s *session) begin(ctx context.Context) error {
	if s.config.Style != discovery.Off {
		topic := s.config.Discovery().BirthTopic()
		err := s.conn.Subscribe(ctx, topic, 1, s.hubStatus)
		if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
			return err
		}
		if err != nil { // values go out all the same, and are retained
			s.log.Warn().Err(err).Msg("cannot hear when home assistant starts")
		}
	}
	return s.introduce()
}

// hubStatus hears the hub's birth message. It runs on the connection's goroutine and must not publish.
func (s *session) hubStatus(m broker.Message) {
	if string(m.Payload) != online {
		return
	}
	select {
	case s.births <- struct{}{}:
	default:
	}
}

// introduce publishes the bridge's own device and makes everything else new.
func (s *session) introduce() error {
	for _, m := range s.config.Discovery().Bridge() {
		if err := s.publish(m.Topic, m.Payload, true); err != nil {
			return err
		}
	}
	if err := s.publish(s.config.BaseTopic+"/status", []byte(online), true); err != nil {
		return err
	}
	s.feed.Resync()
	return nil
}

// deliver publishes all that is new. Each batch counts as delivered when the broker has acknowledged all of it: one wait a
// batch, not one a message.
func (s *session) deliver(ctx context.Context) error {
	for b := s.feed.Take(); b != nil; b = s.feed.Take() {
		if err := s.batch(b); err != nil {
			return err
		}
		if err := s.conn.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) batch(b *bridge.Batch) error {
	if b.Lost > 0 {
		s.log.Warn().Uint64("count", b.Lost).Msg("whole telegrams not published: the broker is too slow or was away")
	}
	for i := range b.News {
		if err := s.news(&b.News[i]); err != nil {
			return err
		}
	}
	for i := range b.Telegrams {
		if err := s.telegram(&b.Telegrams[i]); err != nil {
			return err
		}
	}
	return nil
}

// farewell publishes the last values, says that bridge and meters are offline, and leaves.
func (s *session) farewell() error {
	ctx, cancel := context.WithTimeout(context.Background(), flush)
	defer cancel()
	err := s.deliver(ctx)
	for _, m := range s.meters {
		err = errors.Join(err, s.publish(m.statusTopic, []byte(offline), true))
	}
	err = errors.Join(err, s.publish(s.config.BaseTopic+"/status", []byte(offline), true))
	if err = errors.Join(err, s.conn.Close(ctx)); err != nil {
		s.log.Warn().Err(err).Msg("last values not delivered")
	}
	return nil
}

// publish hands one message to the connection. A message that no broker would take is told and passed over.
func (s *session) publish(topic string, payload []byte, retain bool) error {
	err := s.conn.Publish(broker.Message{Topic: topic, Payload: payload, QoS: s.config.QoS, Retain: retain})
	if refused := new(broker.MessageError); errors.As(err, &refused) {
		s.log.Error().Err(err).Msg("message not published")
		return nil
	}
	return err
}
