package mqtt

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
)

// ownership returns the ownership of the meter with an id. It creates the ownership on first use. An ownership remains when the connection changes.
func (o *Output) ownership(meterID string) *ownership {
	if o.ownerships[meterID] == nil {
		o.ownerships[meterID] = &ownership{ownMark: o.marks.run, minSilence: o.minSilence, stateless: o.marks.instance == nil}
	}
	return o.ownerships[meterID]
}

// receiveInfo passes a received description of a meter to the session's goroutine.
func (s *session) receiveInfo(m broker.Message) {
	info := parseJSON[infoPayload](m.Payload)
	s.post(func() {
		if o := s.ownerships[s.meterOf(m.Topic)]; o != nil {
			o.receiveInfo(m.Payload, m.Retain, s.marks.isOwn(info.Instance), !m.Retain && info.Instance == s.marks.run, info, time.Now())
		}
	})
}

// receiveTelegram passes the origin of a telegram of another bridge to the session's goroutine. It ignores retained telegrams, because they can
// be old. It ignores the telegrams of this bridge, which this session receives too.
func (s *session) receiveTelegram(m broker.Message) {
	if bytes.Contains(m.Payload, s.ownInstance) { // most telegrams that arrive
		return
	}
	origin := parseJSON[telegramOrigin](m.Payload)
	if m.Retain || len(m.Payload) == 0 || s.marks.isOwn(origin.Instance) {
		return
	}
	s.post(func() {
		if o := s.ownerships[s.meterOf(m.Topic)]; o != nil {
			o.receiveTelegram(origin.Instance, origin.Counters == withheldText, time.Now())
		}
	})
}

// meterOf returns the id of the meter in a topic below the base topic.
func (s *session) meterOf(topic string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(topic, s.config.BaseTopic+"/"), "/")
	return id
}

// maxSingleFilters is the number of meters up to which the session subscribes to the topics of each meter. With more meters it subscribes to the
// topics of all meters at this broker, because paho compares each message with every filter of the session.
const maxSingleFilters = 16

// manyMeters reports whether the session subscribes to the topics of all meters at this broker.
func (s *session) manyMeters() bool { return s.metersAtStart > maxSingleFilters }

// subscribeToOthers subscribes to the descriptions and telegrams that other bridges publish of the meters with these ids. It then waits for the
// retained descriptions.
func (s *session) subscribeToOthers(ctx context.Context, ids ...string) error {
	subscribeCtx, cancel := context.WithTimeout(ctx, subscribeTimeout)
	defer cancel()
	for _, id := range ids {
		s.ownership(id).resetForConnection(time.Now())
	}
	levels := ids
	if s.manyMeters() { // if the session has subscribed already, the broker sends the retained descriptions again
		levels = []string{"+"}
	}
	for _, level := range levels {
		filters := s.config.filtersOfOthers(level)
		err := s.conn.Subscribe(subscribeCtx, filters[0], 1, s.receiveInfo)
		if err == nil { // QoS 0 is sufficient, because the bridge sends more telegrams if one is lost
			err = s.conn.Subscribe(subscribeCtx, filters[1], 0, s.receiveTelegram)
		}
		if err != nil && !s.ended(ctx) {
			s.warnUnchecked(err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.awaitRetained()
	return nil
}

// awaitRetained waits until the retained descriptions and status have arrived, or the broker has sent nothing for sessionIdleTime.
func (s *session) awaitRetained() {
	s.runPostedUntil(echoTimeout, sessionIdleTime, func() bool {
		return s.statusReceived && !slices.ContainsFunc(s.meterIDs, func(id string) bool { return !s.ownership(id).infoReceived })
	})
	if s.bridgeWasOnline || s.conflicts.Detected() { // a bridge is online, or another bridge connects with this client id
		for _, id := range s.meterIDs {
			s.ownership(id).otherOnline = true
		}
	}
	s.scheduleReview(0)
}

// runPostedUntil runs posted functions until done returns true. It gives up and returns false after timeout, if no function is posted for
// idle, or if the connection is lost.
func (s *session) runPostedUntil(timeout, idle time.Duration, done func() bool) bool {
	for limit := time.After(timeout); !done(); s.runPosted() {
		s.conn.Send()
		select {
		case <-s.wake:
		case <-time.After(idle):
			return false
		case <-limit:
			return false
		case <-s.conn.Lost():
			return false
		}
	}
	return true
}

// dropMetersOfOthers removes from removedMeters, and from the record of retained messages, each meter that another bridge publishes. So this
// bridge does not remove the announcements and values of these meters from the broker.
func (s *session) dropMetersOfOthers() {
	s.removedMeters = slices.DeleteFunc(s.removedMeters, func(a announcer) bool {
		o := s.ownership(a.meterID)
		publishedByOther := o.otherMark != "" || o.otherUnmarked && o.otherOnline
		if publishedByOther {
			s.devices.set(a.meterID, device{})
		}
		return publishedByOther
	})
}

// echoTimeout is how long the session waits until it receives a message that it has published itself. It also limits the wait for retained
// messages.
const echoTimeout = 2 * time.Second

// becomeFirst makes this bridge the first for each meter in updates whose counters it must begin to publish. It publishes the descriptions of
// these meters. Then it waits, so that a bridge that began to publish the meter earlier can publish its own description. Counters must not be
// published before the end of this wait.
func (s *session) becomeFirst(ctx context.Context, updates []bridge.MeterUpdate) {
	var claimed []*meter
	for i := range updates {
		u := &updates[i]
		m := s.meters[u.Meter.ID]
		if m == nil || u.Removed || u.Description.Protocol == "" || m.isFirst {
			continue
		}
		m.description, m.ownership.minSilence = u.Description, max(s.minSilence, silentIntervals*u.Stats.Interval)
		m.storeCounters(u.Values)
		s.scheduleReview(0)
		if m.isSecond || s.decideCounters(ctx, m) != publishCounters { // if this bridge is second, only reviewMeter can make it the first
			continue
		}
		m.isFirst, m.pending = true, true
		clear(m.withheldCounters)
		u.DescriptionNew = false // the description is published here
		if !m.ownership.isFirst {
			m.ownership.claiming, m.ownership.since = true, time.Now().UTC().Truncate(time.Millisecond)
			claimed = append(claimed, m)
		}
		s.publishInfo(m)
	}
	s.awaitEchoes(claimed)
	if s.conn.Err() != nil {
		return
	}
	for _, m := range claimed { // claiming is false if a bridge that began earlier has published its description
		m.isFirst = m.ownership.isFirst || m.ownership.claiming
		m.ownership.isFirst, m.ownership.claiming = m.isFirst, false
	}
}

// errNoEcho is the reason for the warning if the session has not received the description that it has published.
var errNoEcho = errors.New("mqtt: this bridge does not receive the descriptions that it publishes")

// awaitEchoes waits until the session has received the descriptions that it has published. Then it waits for the same time again, and for
// sessionIdleTime, because another bridge has possibly published a description at the same time. If the program is stopped, this wait does not
// become shorter, because a hub does not delete counters that were published too early.
func (s *session) awaitEchoes(claimed []*meter) {
	if len(claimed) == 0 || s.othersUnreadable {
		return
	}
	began := time.Now()
	echoed := s.runPostedUntil(echoTimeout, echoTimeout, func() bool {
		// claiming is false if another bridge has become the first.
		return !slices.ContainsFunc(claimed, func(m *meter) bool { return m.ownership.claiming && !m.ownership.echoReceived })
	})
	if !echoed && s.conn.Err() == nil {
		s.warnUnchecked(errNoEcho)
		return
	}
	wait := sessionIdleTime + time.Since(began)
	if !s.conn.RetainAvailable() { // no description is retained, so the other bridge needs time to publish its description
		wait = echoTimeout
	}
	s.runPostedUntil(wait, wait, func() bool { return false })
}

// warnUnchecked records that messages of other bridges cannot be received on this connection, and logs this once in a run.
func (s *session) warnUnchecked(err error) {
	s.othersUnreadable = true
	if s.firstTime("unchecked") {
		s.log.Warn().Err(err).Msg("cannot read the topics of these meters: whether another bridge uses the same meters.id is not checked " +
			"(allow this user to read " + s.config.valueFilter() + ")")
	}
}
