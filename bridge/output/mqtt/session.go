package mqtt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/discovery"
)

// session is what is published over one connection.
type session struct {
	*Output
	conn      *broker.Conn
	feed      *bridge.Feed
	due       schedule
	meters    map[string]*meter
	own       announcer         // of the bridge's device
	gone      []announcer       // of meters that are configured no longer
	watched   []string          // the ids of these, and of those that are configured
	sent      map[string]device // what the broker holds of a device when it has acknowledged all
	buf       []byte
	first     zerolog.Level // of the log line of a first announcement
	unchecked bool          // nothing is heard of other bridges on this connection

	statusHeard bool // the broker has told which status of this base topic it holds
	wasOnline   bool // a bridge of this base topic was there when this one came

	wake   chan struct{} // something was posted
	mu     sync.Mutex
	posted []func()
}

func newSession(o *Output, conn *broker.Conn, feed *bridge.Feed) *session {
	s := &session{
		Output: o, conn: conn, feed: feed, meters: map[string]*meter{}, sent: map[string]device{}, wake: make(chan struct{}, 1),
	}
	if o.found != nil {
		s.due[expireTask] = o.foundUntil
	}
	s.own = announcer{wanted: func(style discovery.Style) wanted {
		return wanted{messages: s.config.discovery(style).Bridge(), topics: []string{"status"}}
	}}
	for _, m := range feed.Meters() {
		s.watched = append(s.watched, m.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(o.devices.kept.Devices)) {
		if id != "" && !slices.Contains(s.watched, id) {
			s.watched = append(s.watched, id)
			s.gone = append(s.gone, announcer{id: id, wanted: func(discovery.Style) wanted { return wanted{} }})
		}
	}
	return s
}

// begin says that the bridge is there, and everything it knows. A broker that was started again may have lost all.
func (s *session) begin(ctx context.Context) error {
	if err := s.listen(ctx); err != nil {
		return err
	}
	s.leaveToOthers()
	if err := s.move(ctx); err != nil {
		return err
	}
	if s.scanned {
		s.introduce()
	} else {
		s.scanRetained(ctx)
	}
	return s.conn.Err()
}

// listenTime is how long a broker may take to answer the subscriptions that a session begins with. What it sends later is heard all the same.
const listenTime = 5 * time.Second

// listen subscribes to what the hub says of itself, and others of this bridge and its meters.
func (s *session) listen(ctx context.Context) error {
	until, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	hear := func(topic string, f func(broker.Message), complaint string) error {
		s.feed.Progress()
		err := s.conn.Subscribe(until, topic, 1, f)
		if err != nil && !s.ended(ctx) { // values go out all the same, and are retained
			s.warn(err, complaint)
			return nil
		}
		return err
	}
	if s.config.Style != discovery.Off {
		if err := hear(s.config.StatusTopic, s.hubStatus, "cannot hear when home assistant starts"); err != nil {
			return err
		}
	}
	if err := hear(s.config.BaseTopic+"/status", s.ownStatus, "cannot hear when somebody else says that the bridge is offline"); err != nil {
		return err
	}
	return s.watch(ctx)
}

// ended reports whether the connection or ctx is over: an error is then no fault of the broker's.
func (s *session) ended(ctx context.Context) bool { return s.conn.Err() != nil || ctx.Err() != nil }

// move takes back what is retained below another base topic.
func (s *session) move(ctx context.Context) error {
	if s.devices.kept.Base == s.config.BaseTopic {
		return nil
	}
	for _, topic := range s.devices.topics() {
		s.publish(topic, nil, true)
	}
	if err := s.conn.Flush(ctx); err != nil {
		return err
	}
	s.devices.kept.Base = s.config.BaseTopic
	s.devices.keep()
	s.devices.sync()
	return nil
}

// introduce says that the bridge is there, and makes everything new.
func (s *session) introduce() {
	s.own.due = true
	for i := range s.gone {
		s.gone[i].due = true
	}
	s.announceDue()
	s.publish(s.config.BaseTopic+"/status", []byte(online), true)
	s.feed.Resync()
}

// deliver publishes all that is new. Each batch counts as delivered when the broker has acknowledged all of it: one wait a
// batch, not one a message.
func (s *session) deliver(ctx context.Context) error {
	for b := s.feed.Take(); b != nil; b = s.feed.Take() {
		early := len(s.early)
		s.batch(ctx, b)
		if err := s.conn.Flush(ctx); err != nil {
			s.early = s.early[:early] // the feed gives those of this batch again
			return err
		}
		s.early = s.early[early:]
		s.confirm()
	}
	return nil
}

// sayLost tells of telegrams that were lost, and of those since it last did.
func (o *Output) sayLost(telegrams uint64) {
	if o.lost += telegrams; telegrams == 0 {
		return
	}
	const message = "whole telegrams not published: the broker is too slow or was away"
	if _, ok := o.limiter.Allow(message); ok {
		o.log.Warn().Uint64("count", o.lost).Msg(message)
		o.lost = 0
	}
}

func (s *session) batch(ctx context.Context, b *bridge.Batch) {
	s.sayLost(b.Lost)
	s.takeClaims(ctx, b.Updates)
	for i := range b.Updates {
		s.news(&b.Updates[i])
	}
	for i := range len(s.early) { // what is still too early is added behind them once more
		s.telegram(&s.early[i])
	}
	for i := range b.Telegrams {
		s.telegram(&b.Telegrams[i])
	}
}

var errStopping = fmt.Errorf("a program that ends waits %v at most for a broker that acknowledges nothing (is the broker overloaded, or the network down?)", flush)

// farewell publishes the last values, says that bridge and meters are offline, and leaves.
func (s *session) farewell() error {
	ctx, giveUp := context.WithCancelCause(context.Background())
	defer giveUp(nil)
	stop := func() { giveUp(errStopping) }
	s.leaving = time.AfterFunc(flush, stop)
	defer s.leaving.Stop()
	defer time.AfterFunc(flushAll, stop).Stop()
	undelivered := s.deliver(ctx)
	for _, m := range s.meters {
		if !m.yields() {
			s.publish(m.prefix+"status", []byte(offline), true)
		}
	}
	s.publish(s.config.BaseTopic+"/status", []byte(offline), true)
	if err := cmp.Or(undelivered, s.conn.Close(ctx)); err != nil {
		s.log.Warn().Err(err).Msg("last values not delivered")
		return nil
	}
	s.confirm()
	return nil
}

// publish sends one message. If no broker accepts such a message, or this broker is known not to, publish logs an error and skips the
// message: sending it would end the connection, again and again, and no other message would arrive. Any other error ends the connection, which
// Run notices; nothing is sent from then on, and no Flush succeeds.
func (s *session) publish(topic string, payload []byte, retain bool) {
	s.feed.Progress()
	err := s.conn.Publish(s.message(topic, payload, retain))
	if !errors.As(err, new(*broker.MessageError)) && !errors.As(err, new(*broker.RefusedError)) {
		return
	}
	kind, text := topic, "message not published"
	if strings.HasPrefix(topic, s.config.Prefix+"/") { // there may be hundreds of them
		kind, text = "announcements", notAnnounced
	}
	s.sayRefused(kind, err, text)
}

func (s *session) sayRefused(kind string, err error, text string) {
	if count, ok := s.limiter.Allow(kind); ok {
		ratelimit.WithCount(s.log.Error().Err(err), count).Msg(text)
	}
}

func (s *session) message(topic string, payload []byte, retain bool) broker.Message {
	return broker.Message{Topic: topic, Payload: payload, QoS: s.config.QoS, Retain: retain}
}

// notAnnounced is said of an announcement that the broker does not take: a person who looks for values finds them.
const notAnnounced = "announcement not published: home assistant does not show these entities; values are published all the same"
