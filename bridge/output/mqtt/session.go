package mqtt

import (
	"context"
	"errors"
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

// A session publishes over one connection. Only the goroutine of Run uses a session. Other goroutines call only post.
type session struct {
	*Output
	conn             *broker.Conn
	subscription     *bridge.Subscription
	schedule         schedule
	meters           map[string]*meter            // by id
	bridgeDevice     announcer                    // the bridge's own device
	removedMeters    []announcer                  // meters that are no longer configured
	meterIDs         []string                     // the ids of the configured and the removed meters
	undelivered      map[string]undeliveredDevice // by meter id
	sentBatches      []sentBatch                  // the batches that the broker has not acknowledged, the oldest first
	buf              []byte                       // reused for each payload
	announcedLevel   zerolog.Level                // the level of log lines about a device before its first step on this connection (see logAnnounced)
	othersUnreadable bool                         // messages of other bridges cannot be received
	metersAtStart    int                          // the number of meters when the session began
	ownInstance      []byte                       // a part of the payload of every telegram of this run, and of no other telegram

	statusReceived  bool // the retained status of the bridge has arrived
	bridgeWasOnline bool // a bridge with this base topic was online when this bridge connected

	wake   chan struct{} // has a value after a function was posted
	mu     sync.Mutex    // guards posted
	posted []func()      // see post
}

// newSession returns a session of o that has not published anything.
func newSession(o *Output, conn *broker.Conn, subscription *bridge.Subscription) *session {
	s := &session{
		Output: o, conn: conn, subscription: subscription, meters: map[string]*meter{}, undelivered: map[string]undeliveredDevice{}, wake: make(chan struct{}, 1),
	}
	if o.foundMeters != nil {
		s.schedule[expireTask] = o.foundExpiry
	}
	s.bridgeDevice = announcer{wanted: func(style discovery.Style) wantedDevice {
		return wantedDevice{messages: s.config.discovery(style).Bridge(), topics: []string{"status"}}
	}}
	for _, m := range subscription.Meters() {
		s.meterIDs = append(s.meterIDs, m.ID)
	}
	s.metersAtStart, s.ownInstance = len(s.meterIDs), []byte(`"instance":"`+o.marks.run+`"`)
	for _, id := range slices.Sorted(maps.Keys(o.devices.document.Devices)) {
		if id != "" && !slices.Contains(s.meterIDs, id) {
			s.meterIDs = append(s.meterIDs, id)
			s.removedMeters = append(s.removedMeters, announcer{meterID: id, wanted: func(discovery.Style) wantedDevice { return wantedDevice{} }})
		}
	}
	return s
}

// begin subscribes and publishes everything, because the broker has possibly lost its retained messages in a restart.
func (s *session) begin(ctx context.Context) error {
	if err := s.subscribe(ctx); err != nil {
		return err
	}
	s.dropMetersOfOthers()
	if err := s.removeOldBaseTopics(ctx); err != nil {
		return err
	}
	if s.scanned {
		s.publishAll()
	} else {
		s.scanRetained(ctx)
	}
	return s.conn.Err()
}

// subscribeTimeout is how long the broker has to answer the subscriptions at the start of a session. The session still receives messages of
// subscriptions that the broker answers later.
const subscribeTimeout = 5 * time.Second

// subscribe subscribes to the status of the hub, the status of this bridge, and the messages of other bridges about the same meters. It
// returns an error only if the connection or ctx has ended.
func (s *session) subscribe(ctx context.Context) error {
	subscribeCtx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	subscribe := func(topic string, receive func(broker.Message), warning string) error {
		s.subscription.Progress()
		err := s.conn.Subscribe(subscribeCtx, topic, 1, receive)
		if err != nil && !s.ended(ctx) { // values can still be published
			s.warn(err, warning)
			return nil
		}
		return err
	}
	if s.config.Style != discovery.Off {
		if err := subscribe(s.config.StatusTopic, s.receiveHubStatus, "cannot detect the start of home assistant"); err != nil {
			return err
		}
	}
	if err := subscribe(s.config.BaseTopic+"/status", s.receiveOwnStatus, "cannot detect that another client publishes that this bridge is offline"); err != nil {
		return err
	}
	return s.subscribeToOthers(ctx, s.meterIDs...)
}

// ended reports whether the connection or ctx has ended.
func (s *session) ended(ctx context.Context) bool { return s.conn.Err() != nil || ctx.Err() != nil }

// removeOldBaseTopics removes the values that an earlier run has retained below another base topic.
func (s *session) removeOldBaseTopics(ctx context.Context) error {
	if s.devices.document.Base == s.config.BaseTopic {
		return nil
	}
	for _, topic := range s.devices.topics() {
		s.publish(topic, nil, true)
	}
	if err := s.conn.Flush(ctx); err != nil {
		return err
	}
	s.devices.change(func(document *deviceDocument) { document.Base = s.config.BaseTopic })
	s.devices.sync()
	return nil
}

// publishAll publishes the announcements and the status of the bridge again, and makes Take return every value again.
func (s *session) publishAll() {
	s.bridgeDevice.pending = true
	for i := range s.removedMeters {
		s.removedMeters[i].pending = true
	}
	s.announceDue()
	s.publish(s.config.BaseTopic+"/status", []byte(online), true)
	s.subscription.Resync()
}

// publish sends one message. If no broker accepts the message, or this broker is known not to accept it, publish logs an error and does not send
// the message, because the broker would drop it or close the connection. After any other error the connection has ended, and the next Flush
// returns the error.
func (s *session) publish(topic string, payload []byte, retain bool) {
	s.subscription.Progress()
	err := s.conn.Publish(s.message(topic, payload, retain))
	if !errors.As(err, new(*broker.MessageError)) && !errors.As(err, new(*broker.RefusedError)) {
		return
	}
	kind, text := topic, "message not published"
	if strings.HasPrefix(topic, s.config.Prefix+"/") { // one log line for all announcements, because there can be hundreds
		kind, text = "announcements", notAnnouncedText
	}
	s.logRefused(kind, err, text)
}

// logRefused logs that messages of a kind are not published. logLimiter limits the number of lines for each kind.
func (s *session) logRefused(kind string, err error, text string) {
	if count, ok := s.logLimiter.Allow(kind); ok {
		ratelimit.WithCount(s.log.Error().Err(err), count).Msg(text)
	}
}

// message returns a message with the configured QoS.
func (s *session) message(topic string, payload []byte, retain bool) broker.Message {
	return broker.Message{Topic: topic, Payload: payload, QoS: s.config.QoS, Retain: retain}
}

// notAnnouncedText is the log message for an announcement that the broker does not accept.
const notAnnouncedText = "announcement not published: home assistant does not show these entities, but their values are published"
