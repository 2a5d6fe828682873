// Package mqtt publishes meters to an MQTT broker. For each meter it publishes a topic for each quantity, every telegram as JSON, a status and a
// description. It also publishes the announcements by which Home Assistant discovers the meters.
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
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/discovery"
)

// An Output publishes to one broker. It is a bridge.Output. Its fields remain when the connection changes. A session has the fields that belong to
// one connection.
type Output struct {
	config       Config
	log          zerolog.Logger
	conflicts    broker.ConflictDetector
	capabilities broker.Capabilities
	devices      *savedDevices // the record of what the broker retains; nil before the first connection
	scanned      bool          // the retained scan has ended, or is not necessary (see scanRetained)
	// foundMeters holds, by meter id, the quantities that the retained scan found and that the meter has not sent since then. It is nil from
	// foundExpiry on (see expireFound).
	foundMeters map[string]discovery.Meter
	foundExpiry time.Time
	// scanIncomplete is true if the broker possibly retains announcements that the retained scan did not find.
	scanIncomplete bool
	arrivalChecked map[string]bool // ids of the meters that need no more arrivalCheck

	republishBackoff backoff
	logLimiter       ratelimit.Limiter    // for log lines that other programs can cause
	loggedAt         map[string]time.Time // when the log line of each key was last logged (see logDue)
	lostTelegrams    uint64               // the number of lost telegrams that are not in the log yet
	shutdownTimer    *time.Timer          // ends the delivery of the last values; nil until shutdown

	marks      marks
	minSilence time.Duration         // the shortest time without a telegram of another bridge after which this bridge can replace that bridge
	ownerships map[string]*ownership // by meter id
}

var _ bridge.Output = (*Output)(nil)

// defaultMinSilence is the default of Output.minSilence. For most meters it is at least silentIntervals telegram intervals, because they send a
// telegram every 10 s or more often.
const defaultMinSilence = time.Minute

// New returns an Output. New does not check c and reads no files. Call c.Validate first.
func New(c Config, log zerolog.Logger) *Output {
	return &Output{
		config: c, log: log, arrivalChecked: map[string]bool{}, loggedAt: map[string]time.Time{}, minSilence: defaultMinSilence, ownerships: map[string]*ownership{},
	}
}

// Permanent reports whether err, which Run or Check returned, will most likely recur until a person acts.
func Permanent(err error) bool { return broker.Permanent(err) }

const (
	online  = "online"
	offline = "offline"
	// stopAckTimeout is the longest time without an acknowledgement during the delivery of the last values. stopTimeout is the longest duration
	// of that delivery.
	stopAckTimeout, stopTimeout = 5 * time.Second, time.Minute
)

// Streams returns what the Output receives: values as often as the configuration says, and every telegram.
func (o *Output) Streams() bridge.Streams {
	plan := o.config.Plan
	if plan == nil {
		plan = new(throttle.Plan)
	}
	return bridge.Streams{Plan: plan, Telegrams: true}
}

// Run connects and publishes until ctx ends or the connection is lost. When ctx ends, Run delivers the last values, which takes a minute at most.
// Run returns an error if it cannot connect or the connection is lost.
func (o *Output) Run(ctx context.Context, subscription *bridge.Subscription) error {
	connConfig := o.config.brokerConfig()
	connConfig.Conflict, connConfig.Capabilities = &o.conflicts, &o.capabilities
	connConfig.OnAcknowledged = func() {
		subscription.Progress()
		if o.shutdownTimer != nil {
			o.shutdownTimer.Reset(stopAckTimeout)
		}
	}
	connConfig.OnOversized = func(err error) { o.warn(err, "message of another program not read") }
	conn, err := broker.Dial(ctx, connConfig)
	if err != nil {
		return err
	}
	if o.devices == nil {
		o.marks = newMarks(o.config.ClientID, subscription.Instance())
		o.devices = loadDevices(subscription.Store(), &o.config)
		recordComplete := !o.devices.document.FirstScan.IsZero() && time.Now().After(o.devices.recordCompleteAt())
		o.scanned = o.config.BrokerEmpty || recordComplete
	}
	s := newSession(o, conn, subscription)
	s.announcedLevel = o.logConnected(subscription.TakeInterrupted())
	if !conn.RetainAvailable() && o.firstTime("retain") {
		o.log.Warn().Str("source", o.config.URL).Err(errors.New(o.config.noRetainText())).Msg("the broker keeps no messages: published without being retained")
	}
	if err := s.begin(ctx); err != nil {
		_ = conn.Close(ctx) // begin also fails on an open connection, if ctx has ended
		return err
	}
	return s.run(ctx)
}

// warn logs a warning that other programs can cause repeatedly. logLimiter limits the number of lines.
func (o *Output) warn(err error, message string) {
	if count, ok := o.logLimiter.Allow(message); ok {
		ratelimit.WithCount(o.log.Warn().Err(err), count).Msg(message)
	}
}

// logDue reports whether a log line is due: it was never logged, or was last logged at least pause ago. If so, logDue records that it is logged now.
// key identifies the log line.
func (o *Output) logDue(key string, pause time.Duration) bool {
	if last, logged := o.loggedAt[key]; logged && time.Since(last) < pause {
		return false
	}
	o.loggedAt[key] = time.Now()
	return true
}

// firstTime reports whether the log line of a key was never logged. If so, firstTime records that it is logged now.
func (o *Output) firstTime(key string) bool { return o.logDue(key, math.MaxInt64) }

// logConnected logs the connection and returns the level of that line. The level is info for the first connection and after an interruption
// that was logged. Otherwise it is debug, so that a connection that is lost repeatedly does not fill the log.
func (o *Output) logConnected(interruptionLogged bool) zerolog.Level {
	level := zerolog.DebugLevel
	if isFirstConnection := o.firstTime("connected"); interruptionLogged || isFirstConnection {
		level = zerolog.InfoLevel
	}
	o.log.WithLevel(level).Str("source", o.config.URL).Msg("mqtt connected")
	return level
}
