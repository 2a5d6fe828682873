// Package mqtt publishes what meters measure: one topic per quantity, the telegram as a whole, states and descriptions, and
// what Home Assistant needs to find them.
package mqtt

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/discovery"
)

// An Output publishes to one broker. It is a bridge.Output.
type Output struct {
	config   Config
	log      zerolog.Logger
	conflict broker.ConflictDetector
	terms    broker.Capabilities
	devices  *devices // what the broker was given to keep
	scanned  bool     // that is known
	// found holds the quantities of each meter that the retained scan found announced and that the meter has not sent since. It is nil from
	// foundUntil on (see expireFound).
	found      map[string]discovery.Meter
	foundUntil time.Time
	// partial tells that the retained scan was incomplete: the broker may hold announcements that it did not find.
	partial bool
	proven  map[string]bool // meters whose announcement was seen to arrive, or cannot be seen

	pace    pace
	limiter ratelimit.Limiter    // of log lines that others can bring about
	logged  map[string]time.Time // what the log has said of the state of this output, and when
	lost    uint64               // telegrams that the log has not told of
	early   []bridge.Telegram    // that came before the description of their meter
	leaving *time.Timer          // ends the delivery of the last values; nil before the stop

	marks    marks
	patience time.Duration // how long another bridge may be silent at least before it is taken for gone
	claims   map[string]*claim
}

var _ bridge.Output = (*Output)(nil)

// leastPatience is longer than the usual six intervals of a meter.
const leastPatience = time.Minute

// New returns an Output. It looks at nothing but its arguments; call Validate to have the files that c names looked at.
func New(c Config, log zerolog.Logger) *Output {
	return &Output{
		config: c, log: log, proven: map[string]bool{}, logged: map[string]time.Time{}, patience: leastPatience, claims: map[string]*claim{},
	}
}

// Permanent tells if err, from Run or Check, will most likely stay until a person acts.
func Permanent(err error) bool { return broker.Permanent(err) }

const (
	online  = "online"
	offline = "offline"
	// flush is how long a broker may acknowledge nothing of the last values at a stop, and flushAll how long they may take.
	flush, flushAll = 5 * time.Second, time.Minute
)

// Run connects and publishes until the connection is lost, which is an error, or ctx ends.
func (o *Output) Run(ctx context.Context, feed *bridge.Feed) error {
	to := o.config.broker()
	to.Conflict, to.Capabilities, to.OnAcknowledged = &o.conflict, &o.terms, func() {
		feed.Progress()
		if o.leaving != nil {
			o.leaving.Reset(flush)
		}
	}
	to.OnOversized = func(err error) { o.warn(err, "message of somebody else not read") }
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return err
	}
	if o.devices == nil {
		o.marks = newMarks(o.config.ClientID, feed.Instance())
		o.devices = recallDevices(feed.Store(), &o.config)
		o.scanned = o.config.BrokerEmpty || !o.devices.kept.Asked.IsZero() && time.Now().After(o.devices.whole())
	}
	s := newSession(o, conn, feed)
	s.first = o.sayConnected(feed.TakeInterrupted())
	if !conn.RetainAvailable() && o.once("retain") {
		o.log.Warn().Str("source", o.config.URL).Err(errors.New(o.config.costOfNoRetain())).Msg("the broker keeps no messages: published without being retained")
	}
	if err := s.begin(ctx); err != nil {
		_ = conn.Close(ctx) // it may be sound, as when ctx has ended
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return s.farewell()
		case <-conn.Lost():
			return conn.Err()
		case <-s.wake:
			s.heard(ctx)
		case <-time.After(s.due.wait()):
			s.doDue(ctx)
		case <-feed.Ready():
			if err := s.deliver(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// warn logs what others can bring about again and again.
func (o *Output) warn(err error, message string) {
	if count, ok := o.limiter.Allow(message); ok {
		ratelimit.WithCount(o.log.Warn().Err(err), count).Msg(message)
	}
}

// sayAgain reports whether the log has not said something for a while, and notes that it does so now.
func (o *Output) sayAgain(what string, pause time.Duration) bool {
	if last, said := o.logged[what]; said && time.Since(last) < pause {
		return false
	}
	o.logged[what] = time.Now()
	return true
}

// once reports whether the log has never said something, and notes that it does so now.
func (o *Output) once(what string) bool { return o.sayAgain(what, math.MaxInt64) }

// sayConnected is for the log, and returns at what level it was said: an interruption that the log has told of ends in it too,
// others, of a connection that is lost again and again, do not.
func (o *Output) sayConnected(told bool) zerolog.Level {
	level := zerolog.DebugLevel
	if first := o.once("connected"); told || first {
		level = zerolog.InfoLevel
	}
	o.log.WithLevel(level).Str("source", o.config.URL).Msg("mqtt connected")
	return level
}
