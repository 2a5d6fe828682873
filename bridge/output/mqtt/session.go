package mqtt

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
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
	own    herald            // of the bridge's device
	gone   []herald          // of meters that are configured no longer
	sent   map[string]device // what the broker holds of a device when it has acknowledged all
	survey *survey           // nil when it is known what the broker holds
	weaned *time.Timer       // when what the survey found counts no longer
	buf    []byte
	first  zerolog.Level // of the log line of a first announcement

	leaving atomic.Bool // what says offline from now on is this session
}

func newSession(o *Output, conn *broker.Conn, feed *bridge.Feed) *session {
	s := &session{
		Output: o, conn: conn, feed: feed,
		births: make(chan struct{}, 1), birth: time.NewTimer(time.Hour), later: time.NewTimer(time.Hour),
		weaned: time.NewTimer(time.Until(o.devices.whole())),
		meters: map[string]*meter{}, sent: map[string]device{},
	}
	s.birth.Stop()
	s.later.Stop()
	if o.found == nil {
		s.weaned.Stop()
	}
	s.own = herald{wanted: s.wantedOfBridge}
	for _, id := range o.devices.others(feed.Meters()) {
		s.gone = append(s.gone, herald{id: id, wanted: func() wanted { return wanted{} }})
	}
	return s
}

func (s *session) stop() {
	s.birth.Stop()
	s.later.Stop()
	s.weaned.Stop()
}

// birthPause is 1 to 5 s at random: a hub that has just started hears of many devices at once.
func birthPause() time.Duration { return time.Second + rand.N(4*time.Second) }

// begin says that the bridge is there, and everything it knows. A broker that was started again may have lost all.
func (s *session) begin(ctx context.Context) error {
	if s.config.Style != discovery.Off {
		if err := s.hear(ctx, s.config.StatusTopic, 1, s.hubStatus, "cannot hear when home assistant starts"); err != nil {
			return err
		}
	}
	err := s.hear(ctx, s.config.BaseTopic+"/status", 1, s.ownStatus, "cannot hear when somebody else says that the bridge is offline")
	if err != nil {
		return err
	}
	if err := s.move(ctx); err != nil {
		return err
	}
	if s.surveyed || s.config.Style == discovery.Off {
		return s.introduce()
	}
	return s.ask(ctx)
}

// move takes back what is retained below another base topic.
func (s *session) move(ctx context.Context) error {
	left := s.devices.below(s.config.BaseTopic)
	for _, topic := range left {
		if err := s.publish(topic, nil, true); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		if err := s.conn.Flush(ctx); err != nil {
			return err
		}
	}
	s.devices.move(s.config.BaseTopic)
	return nil
}

// hear subscribes. A broker that forbids it is complained of: values go out all the same, and are retained.
func (s *session) hear(ctx context.Context, topic string, qos byte, f func(broker.Message), complaint string) error {
	err := s.conn.Subscribe(ctx, topic, qos, f)
	if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		s.log.Warn().Err(err).Msg(complaint)
	}
	return nil
}

// ownStatus hears what is said of this bridge. That it is offline was said by somebody else: by a second bridge with the same topics
// that stopped, or by the broker, as the will of a connection it had not known to be dead. What was retained before is no news.
func (s *session) ownStatus(m broker.Message) {
	if m.Retain || string(m.Payload) != offline || s.leaving.Load() {
		return
	}
	s.log.Info().Str("source", m.Topic).Msg("somebody else said that this bridge is offline: says all again (is hanbridge running twice with this mqtt.base_topic?)")
	s.again()
}

// hubStatus hears the hub's birth message. It runs on the connection's goroutine and must not publish.
func (s *session) hubStatus(m broker.Message) {
	if string(m.Payload) == online {
		s.again()
	}
}

// again asks for everything to be introduced again, in a moment.
func (s *session) again() {
	select {
	case s.births <- struct{}{}:
	default:
	}
}

// introduce says that the bridge is there, and makes everything new.
func (s *session) introduce() error {
	s.own.due = true
	for i := range s.gone {
		s.gone[i].due = true
	}
	if err := s.announceDue(); err != nil {
		return err
	}
	if err := s.publish(s.config.BaseTopic+"/status", []byte(online), true); err != nil {
		return err
	}
	s.feed.Resync()
	return nil
}

// ready gives a value when there is something to deliver, and nothing to be known before.
func (s *session) ready() <-chan struct{} {
	if s.survey != nil {
		return nil
	}
	return s.feed.Ready()
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
		s.confirm()
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
	s.leaving.Store(true)
	for _, m := range s.meters {
		err = errors.Join(err, s.publish(m.statusTopic, []byte(offline), true))
	}
	err = errors.Join(err, s.publish(s.config.BaseTopic+"/status", []byte(offline), true))
	if err = errors.Join(err, s.conn.Close(ctx)); err != nil {
		s.log.Warn().Err(err).Msg("last values not delivered")
		return nil
	}
	s.confirm()
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
