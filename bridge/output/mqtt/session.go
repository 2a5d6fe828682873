package mqtt

import (
	"cmp"
	"context"
	"fmt"
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
	conn        *broker.Conn
	feed        *bridge.Feed
	births      chan struct{}
	birth       *time.Timer // when to introduce everything again after a hub's start
	awaits      bool        // that time is set
	later       *time.Timer // when to announce what was announced too short a time ago
	meters      map[string]*meter
	own         announcer         // of the bridge's device
	gone        []announcer       // of meters that are configured no longer
	sent        map[string]device // what the broker holds of a device when it has acknowledged all
	scan        *retainedScan     // nil once it is known what the broker holds
	foundExpiry *time.Timer       // when expireFound is due
	buf         []byte
	first       zerolog.Level // of the log line of a first announcement

	looking *time.Timer // when to look again at who publishes a meter
	look    time.Time   // when that is; zero where it is not set

	proofs chan struct{} // a proof has succeeded
	giveUp *time.Timer   // when one is given up

	statusHeard atomic.Bool // the broker has told which status of this base topic it holds
	wasOnline   atomic.Bool // a bridge of this base topic was there when this one came
	leaving     atomic.Bool // what says offline from now on is this session
}

func newSession(o *Output, conn *broker.Conn, feed *bridge.Feed) *session {
	s := &session{
		Output: o, conn: conn, feed: feed,
		births: make(chan struct{}, 1), birth: time.NewTimer(time.Hour), later: time.NewTimer(time.Hour),
		foundExpiry: time.NewTimer(time.Until(o.devices.whole())), looking: time.NewTimer(time.Hour),
		meters: map[string]*meter{}, sent: map[string]device{}, proofs: make(chan struct{}, 1), giveUp: time.NewTimer(time.Hour),
	}
	s.birth.Stop()
	s.later.Stop()
	s.looking.Stop()
	s.giveUp.Stop()
	if o.found == nil {
		s.foundExpiry.Stop()
	}
	s.own = announcer{wanted: s.wantedOfBridge}
	for _, id := range o.devices.others(feed.Meters()) {
		s.gone = append(s.gone, announcer{id: id, wanted: func(discovery.Style) wanted { return wanted{} }})
	}
	return s
}

func (s *session) stop() {
	s.birth.Stop()
	s.later.Stop()
	s.foundExpiry.Stop()
	if s.scan != nil {
		s.scan.end()
	}
	s.looking.Stop()
	s.giveUp.Stop()
}

// birthPause is 1 to 5 s at random: a hub that has just started hears of many devices at once.
func birthPause() time.Duration { return time.Second + rand.N(4*time.Second) }

// begin says that the bridge is there, and everything it knows. A broker that was started again may have lost all.
func (s *session) begin(ctx context.Context) error {
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.watch(ctx); err != nil {
		return err
	}
	s.leaveToOthers()
	if err := s.move(ctx); err != nil {
		return err
	}
	if s.scanned {
		return s.introduce()
	}
	return s.startRetainedScan(ctx)
}

// listenTime is how long a broker may take to answer the subscriptions that a session begins with. What it sends later is heard all the same.
const listenTime = 5 * time.Second

// listen subscribes to what the hub says of itself, and others of this bridge.
func (s *session) listen(ctx context.Context) error {
	until, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	if s.config.Style != discovery.Off {
		if err := s.hear(ctx, until, s.config.StatusTopic, s.hubStatus, "cannot hear when home assistant starts"); err != nil {
			return err
		}
	}
	return s.hear(ctx, until, s.config.BaseTopic+"/status", s.ownStatus, "cannot hear when somebody else says that the bridge is offline")
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
	if s.devices.move(s.config.BaseTopic) {
		s.devices.sync()
	}
	return nil
}

// hear subscribes. A broker that forbids it, or does not answer in time, is complained of: values go out all the same, and are retained.
func (s *session) hear(ctx, until context.Context, topic string, f func(broker.Message), complaint string) error {
	s.feed.Progress()
	err := s.conn.Subscribe(until, topic, 1, f)
	if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		s.warn(err, complaint)
	}
	return nil
}

// introduce says that the bridge is there, and makes everything new. While it is not known what the broker holds it does nothing: it
// is done behind that.
func (s *session) introduce() error {
	if s.scan != nil {
		return nil
	}
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
	if s.scan != nil {
		return nil
	}
	return s.feed.Ready()
}

// deliver publishes all that is new. Each batch counts as delivered when the broker has acknowledged all of it: one wait a
// batch, not one a message.
func (s *session) deliver(ctx context.Context) error {
	for b := s.feed.Take(); b != nil; b = s.feed.Take() {
		early := len(s.early)
		err := s.batch(ctx, b)
		if err == nil {
			err = s.conn.Flush(ctx)
		}
		if err != nil {
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

func (s *session) batch(ctx context.Context, b *bridge.Batch) error {
	s.sayLost(b.Lost)
	if err := s.takeClaims(ctx, b.News); err != nil {
		return err
	}
	for i := range b.News {
		if err := s.news(&b.News[i]); err != nil {
			return err
		}
	}
	for i := range len(s.early) { // what is still too early is added behind them once more
		if err := s.telegram(&s.early[i]); err != nil {
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

var errStopping = fmt.Errorf("a program that ends waits %v at most (is the broker overloaded, or the network down?)", flush)

// farewell publishes the last values, says that bridge and meters are offline, and leaves.
func (s *session) farewell() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), flush, errStopping)
	defer cancel()
	errs := []error{s.deliver(ctx)}
	s.leaving.Store(true)
	for _, m := range s.meters {
		if !s.yields(m) {
			errs = append(errs, s.publish(m.statusTopic, []byte(offline), true))
		}
	}
	errs = append(errs, s.publish(s.config.BaseTopic+"/status", []byte(offline), true), s.conn.Close(ctx))
	if err := cmp.Or(errs...); err != nil { // those that follow it have the same cause
		s.log.Warn().Err(err).Msg("last values not delivered")
		return nil
	}
	s.confirm()
	return nil
}
