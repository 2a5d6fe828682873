package mqtt

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// An arrivalCheck checks, once in a run, that the announcement of a meter reaches subscribers. An acknowledgement does not show this, because a
// broker also acknowledges messages that its access rules forbid (MQTT 3.1.1, section 3.3.5). The check subscribes before the announcement is
// published, and waits until this session receives the announcement. It ignores retained messages, because they are older.
type arrivalCheck struct {
	want     wantedDevice
	deadline time.Time       // when the check fails; zero until every announcement is published
	missing  map[string]bool // the topics from which no announcement has arrived yet
}

// arrivalTimeout is how long a check waits until the session receives the announcements that it has published.
const arrivalTimeout = 5 * time.Second

// arrivalFilters returns the topic filters that match the announcement of a device. The device "+" matches every device.
func (c Config) arrivalFilters(device string, want *wantedDevice) []string {
	filters := c.announcedFilters(device)
	if len(want.messages) > 1 { // each entity has a message of its own
		return filters[1:]
	}
	return filters[:1]
}

// startArrivalCheck starts a check and reports whether a check has started. When the check has succeeded, the log says that the meter is
// announced. There is no check for the bridge's own device, for a device whose announcements are removed, for a meter in arrivalChecked, or if many
// meters were checked already.
func (s *session) startArrivalCheck(a *announcer, want *wantedDevice) bool {
	if a.meterID == "" || want.undecided || len(want.messages) == 0 || s.arrivalChecked[a.meterID] || len(s.arrivalChecked) > maxSingleFilters {
		return false
	}
	s.endArrivalCheck(a)
	check := &arrivalCheck{want: *want, missing: map[string]bool{}}
	for _, m := range want.messages {
		check.missing[m.Topic] = true
	}
	a.arrival = check
	receive := func(m broker.Message) {
		if !m.Retain && len(m.Payload) > 0 {
			s.post(func() { delete(check.missing, m.Topic) })
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	for _, filter := range s.config.arrivalFilters("hanbridge_"+a.meterID, want) {
		if err := s.conn.Subscribe(ctx, filter, 1, receive); err != nil {
			if s.conn.Err() == nil {
				s.arrivalChecked[a.meterID] = true
				s.warn(err, "cannot see if announcements reach home assistant (is this user permitted to read them?)")
			}
			s.endArrivalCheck(a)
			return false
		}
	}
	return true
}

// concludeArrivalChecks ends the checks that have succeeded or reached their deadline, and logs whether the meters are announced. It schedules
// the deadlines of the other checks.
func (s *session) concludeArrivalChecks() {
	for _, m := range s.meters {
		check := m.arrival
		if check == nil {
			continue
		}
		deadlineOver := !check.deadline.IsZero() && !time.Now().Before(check.deadline)
		switch {
		case len(check.missing) == 0:
			s.arrivalChecked[m.ID] = true
			s.endArrivalCheck(&m.announcer)
			s.logAnnounced(&m.announcer, &check.want)
		case deadlineOver:
			s.endArrivalCheck(&m.announcer)
			if !s.isTooLarge(&check.want) {
				s.logDenied(m, check)
				continue
			}
			m.pending = true // the next steps announce the meter entity by entity: see acceptedPlan
			s.schedule.in(announceTask, discovery.StepPause)
		case !check.deadline.IsZero():
			s.schedule.in(arrivalTask, time.Until(check.deadline))
		}
	}
}

// awaitArrivals gives the announcements that were just published a moment to arrive, before the session ends. Otherwise the log of a short recording
// would not say that the meter is announced.
func (s *session) awaitArrivals() {
	s.runPostedUntil(sessionIdleTime, sessionIdleTime, func() bool {
		for _, m := range s.meters {
			if m.arrival != nil && len(m.arrival.missing) > 0 {
				return false
			}
		}
		return true
	})
	s.concludeArrivalChecks()
}

// endArrivalCheck ends the check of a device, if there is one, and its subscriptions. The next announcement starts another check.
func (s *session) endArrivalCheck(a *announcer) {
	if check := a.arrival; check != nil {
		a.arrival = nil
		s.unsubscribe(s.config.arrivalFilters("hanbridge_"+a.meterID, &check.want))
	}
}

// logDenied logs, once for each meter, that the broker does not pass the announcement on to its subscribers.
func (s *session) logDenied(m *meter, check *arrivalCheck) {
	if s.firstTime("denied " + m.ID) {
		s.log.Error().Str("meter", m.ID).Msg("the broker has acknowledged the announcement, but does not pass it on, not even to this user: its access rules most likely forbid it, " +
			"and home assistant does not see this meter. Allow this user to publish and to read " + strings.Join(s.config.arrivalFilters("+", &check.want), " and "))
	}
}

// logAnnounced logs that a meter is announced, or that its announcements are removed. Before the first step of the device on
// a connection, the log line has announcedLevel. A later log line has the level info if the number of entities has changed, and debug if not.
func (s *session) logAnnounced(a *announcer, want *wantedDevice) {
	entities, level := want.entities, s.announcedLevel
	switch isFirstStep := a.lastStep.IsZero(); {
	case !isFirstStep && entities == a.loggedEntities:
		level = zerolog.DebugLevel
	case !isFirstStep:
		level = zerolog.InfoLevel
	}
	if a.loggedEntities = entities; s.manyMeters() {
		level = zerolog.DebugLevel
	}
	switch {
	case a.meterID == "" || want.undecided: // nothing is logged
	case entities == 0:
		s.log.WithLevel(level).Str("meter", a.meterID).Msg("meter is not in the configuration any more: removed from home assistant")
	case s.config.Style != discovery.Off:
		s.log.WithLevel(level).Str("meter", a.meterID).Int("entities", entities).Msg("announced to home assistant")
	}
}

// logRemoved logs how many of the replaced announcements are removed because they are under another prefix, or because discovery is off.
func (s *session) logRemoved(a *announcer, replaced discovery.Announced) {
	if s.config.Style != discovery.Off {
		replaced = replaced.Minus(replaced.UnderPrefix(s.config.Prefix))
	}
	if len(replaced) == 0 {
		return
	}
	s.log.Info().Str("meter", cmp.Or(a.meterID, ownDevice)).Int("topics", len(replaced)).Msg("announcements removed: they were under another homeassistant.prefix, or homeassistant.discovery is off now")
}
