// Package mqtt publishes meters to an MQTT broker: a topic for each quantity, whole telegrams, states, descriptions, and the discovery
// payloads for Home Assistant.
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

// An Output publishes to one broker. It is a bridge.Output. Its fields last over connections; those of one connection are in session.
type Output struct {
	config       Config
	log          zerolog.Logger
	conflicts    broker.ConflictDetector
	capabilities broker.Capabilities
	devices      *savedDevices // what the broker retains
	scanned      bool          // the retained scan has ended, or is not necessary
	// foundQuantities holds, for each meter, the quantities that the retained scan found announced and that the meter has not sent since. It
	// is nil from foundExpiry on (see expireFound).
	foundQuantities map[string]discovery.Meter
	foundExpiry     time.Time
	// scanIncomplete is true if the broker may retain announcements that the retained scan did not find.
	scanIncomplete bool
	arrivalKnown   map[string]bool // ids of meters whose announcement was received back, or cannot be received

	republishBackoff backoff
	logLimiter       ratelimit.Limiter    // for log lines that other programs can cause
	loggedAt         map[string]time.Time // when each text was last logged
	lostTelegrams    uint64               // lost telegrams that were not logged yet
	earlyTelegrams   []bridge.Telegram    // telegrams that came before the description of their meter
	shutdownTimer    *time.Timer          // ends the delivery of the last values; nil until shutdown

	marks      marks
	minSilence time.Duration // how long another bridge must be silent at least before this one replaces it
	ownerships map[string]*ownership
}

var _ bridge.Output = (*Output)(nil)

// defaultMinSilence is longer than six intervals of most meters.
const defaultMinSilence = time.Minute

// New returns an Output. It does not check c and reads no files: call c.Validate first.
func New(c Config, log zerolog.Logger) *Output {
	return &Output{
		config: c, log: log, arrivalKnown: map[string]bool{}, loggedAt: map[string]time.Time{}, minSilence: defaultMinSilence, ownerships: map[string]*ownership{},
	}
}

// Permanent reports whether err, which Run or Check returned, will most likely stay until a person acts.
func Permanent(err error) bool { return broker.Permanent(err) }

const (
	online  = "online"
	offline = "offline"
	// stopAckTimeout is how long the broker may acknowledge nothing while the last values are delivered at a stop. stopTimeout is how long
	// their delivery may take.
	stopAckTimeout, stopTimeout = 5 * time.Second, time.Minute
)

// Run connects and publishes until ctx ends, or the connection is lost, which is an error. When ctx ends, Run delivers the last values for a
// minute at most.
func (o *Output) Run(ctx context.Context, feed *bridge.Feed) error {
	to := o.config.broker()
	to.Conflict, to.Capabilities, to.OnAcknowledged = &o.conflicts, &o.capabilities, func() {
		feed.Progress()
		if o.shutdownTimer != nil {
			o.shutdownTimer.Reset(stopAckTimeout)
		}
	}
	to.OnOversized = func(err error) { o.warn(err, "message of somebody else not read") }
	conn, err := broker.Dial(ctx, to)
	if err != nil {
		return err
	}
	if o.devices == nil {
		o.marks = newMarks(o.config.ClientID, feed.Instance())
		o.devices = loadDevices(feed.Store(), &o.config)
		o.scanned = o.config.BrokerEmpty || !o.devices.document.Asked.IsZero() && time.Now().After(o.devices.completeAt())
	}
	s := newSession(o, conn, feed)
	s.announcedLevel = o.logConnected(feed.TakeInterrupted())
	if !conn.RetainAvailable() && o.firstTime("retain") {
		o.log.Warn().Str("source", o.config.URL).Err(errors.New(o.config.costOfNoRetain())).Msg("the broker keeps no messages: published without being retained")
	}
	if err := s.begin(ctx); err != nil {
		_ = conn.Close(ctx) // the connection may still exist, as when ctx has ended
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return s.shutdown()
		case <-conn.Lost():
			return conn.Err()
		case <-s.wake:
			s.processPosted(ctx)
		case <-time.After(s.schedule.wait()):
			s.runDueTasks(ctx)
		case <-feed.Ready():
			if err := s.deliver(ctx); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// warn logs a warning that other programs can cause again and again. The log shows it once a while, with a count.
func (o *Output) warn(err error, message string) {
	if count, ok := o.logLimiter.Allow(message); ok {
		ratelimit.WithCount(o.log.Warn().Err(err), count).Msg(message)
	}
}

// logDue reports whether text was not logged within the last pause, and records that it is logged now.
func (o *Output) logDue(text string, pause time.Duration) bool {
	if last, logged := o.loggedAt[text]; logged && time.Since(last) < pause {
		return false
	}
	o.loggedAt[text] = time.Now()
	return true
}

// firstTime reports whether text was never logged, and records that it is logged now.
func (o *Output) firstTime(text string) bool { return o.logDue(text, math.MaxInt64) }

// logConnected logs the connection and returns the level of that line. It is info for the first connection and after an interruption that
// was logged. It is debug otherwise, so that a connection that is lost again and again does not fill the log.
func (o *Output) logConnected(interruptionLogged bool) zerolog.Level {
	level := zerolog.DebugLevel
	if first := o.firstTime("connected"); interruptionLogged || first {
		level = zerolog.InfoLevel
	}
	o.log.WithLevel(level).Str("source", o.config.URL).Msg("mqtt connected")
	return level
}
