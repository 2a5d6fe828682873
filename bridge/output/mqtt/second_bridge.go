package mqtt

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// isCounter reports whether a quantity is a counter: a value that only rises.
func isCounter(id quantity.ID) bool { return id.Row().StateClass == quantity.TotalIncreasing }

// storeCounters stores the newest counters of a meter whose counters are not published. compareWithRetained compares them.
func (m *meter) storeCounters(values []bridge.Value) {
	for i := range values {
		if isCounter(values[i].ID) {
			m.withheldCounters[values[i].ID] = values[i]
		}
	}
}

// otherPublishesStatus reports whether another bridge publishes the status of the meter.
func (m *meter) otherPublishesStatus() bool { return m.ownership.otherPublishesStatus(time.Now()) }

// otherAnnounces reports whether another bridge announces the meter, or has announced it and possibly still runs.
func (m *meter) otherAnnounces() bool { return !m.isFirst && m.ownership.contested() }

// publishesStats reports whether this bridge publishes its statistics of the meter. Before the first telegram, the bridge publishes them
// unless another bridge announces the meter.
func (m *meter) publishesStats() bool {
	return m.isFirst || m.description.Protocol == "" && !m.otherAnnounces()
}

// decideCounters decides whether this bridge publishes the counters of a meter. If necessary, decideCounters compares the meter with the
// retained values, or schedules a review. It does not return needComparison.
func (s *session) decideCounters(ctx context.Context, m *meter) decision {
	o, valueCount := m.ownership, len(m.withheldCounters) // valueCount is the number of values that can be compared
	if m.description.Serial != "" {
		valueCount++
	}
	if o.comparison == inconclusive && valueCount > m.comparedValues { // compare again, because there are more values
		o.comparison = notCompared
	}
	d := o.decide(time.Now())
	if d == needComparison && valueCount == 0 {
		return waitForOther // until the meter has sent counters; some meters send them only once an hour
	}
	if d == needComparison {
		m.comparedValues, o.comparison = valueCount, s.compareWithRetained(ctx, m)
		d = o.decide(time.Now())
	}
	if d == waitForOther {
		s.scheduleReview(time.Until(o.silentAt()))
	}
	return d
}

// scheduleReview schedules a review of all meters after wait, unless a review is due earlier.
func (s *session) scheduleReview(wait time.Duration) {
	s.schedule.in(reviewTask, max(wait, 0)+10*time.Millisecond)
}

// review decides again, for each meter that has sent a telegram, whether this bridge publishes the counters. It runs after messages of other
// bridges, and when it is scheduled.
func (s *session) review(ctx context.Context) {
	becomesFirst := false
	for _, m := range s.meters {
		if m.description.Protocol != "" && s.reviewMeter(ctx, m) {
			becomesFirst = true
		}
	}
	switch {
	case !becomesFirst: // nothing is published again
	case s.config.Style == discovery.Off || s.config.BrokerEmpty:
		s.publishAll()
	default:
		s.scanRetained(ctx) // finds the announcements of the other bridge
	}
}

// reviewMeter decides again about one meter. It reports whether this bridge must begin to publish the counters of the meter. Then becomeFirst
// does so with the next update of the meter, which publishAll causes.
func (s *session) reviewMeter(ctx context.Context, m *meter) (becomesFirst bool) {
	if m.isFirst && m.ownership.isFirst {
		s.reassertFirst(m)
		return false
	}
	d := s.decideCounters(ctx, m)
	m.isSecond = d != publishCounters
	if m.isFirst || m.isSecond { // another bridge is the first, or was the first until it became silent
		s.dropRecord(m)
	}
	m.isFirst = false
	s.reportDecision(m, d)
	return d == publishCounters
}

// dropRecord removes a meter from the record of retained messages, because the messages belong to the other bridge. Without the record, this
// bridge does not remove the messages from the broker.
func (s *session) dropRecord(m *meter) {
	delete(s.undelivered, m.ID)
	m.steps = nil
	s.endArrivalCheck(&m.announcer)
	if _, ok := s.devices.document.Devices[m.ID]; ok {
		s.devices.set(m.ID, device{})
	}
}

// reassertFirst publishes the description of a meter again if another bridge has published its own description, or if rivalMark has changed.
// It clears rivalMark after minSilence without a message of the other bridge.
func (s *session) reassertFirst(m *meter) {
	o, now := m.ownership, time.Now()
	if wait := o.rivalLastTime.Add(o.minSilence).Sub(now); o.rivalMark != "" && wait > 0 {
		s.scheduleReview(wait)
		s.logHourly(m, zerolog.ErrorLevel, textForFirstBridge)
	} else {
		o.rivalMark = ""
	}
	if wait := time.Second - now.Sub(m.infoRepublished); o.republishInfo && wait > 0 {
		s.scheduleReview(wait)
	} else if o.republishInfo || o.rivalMark != m.infoRival {
		m.infoRival, m.infoRepublished, o.republishInfo = o.rivalMark, now, false
		s.publishInfo(m)
	}
}

// Log messages about a meter that two bridges publish. silentReason is not logged. It is published under rejected_reason. The texts that end
// with a command are followed by the id of the meter.
const (
	textForFirstBridge = "another bridge publishes this meter too: a hub mixes the two meters up. Set another meters.id in the configuration of " +
		"one of the two bridges, and restart that bridge"
	textForSecondBridge = "another bridge publishes this meter already: this bridge does not publish the counters, because a hub would count the " +
		"difference between two meters as consumption. Set another meters.id in this configuration, and restart this bridge. Or stop the other " +
		"bridge for good, and type: hanbridge takeover "
	silentText = "another bridge has published this meter, and sends nothing now. Nothing shows that both bridges read the same meter, so this " +
		"bridge does not publish the counters. If the other bridge still runs, set another meters.id in one of the two configurations. If the " +
		"other bridge was stopped for good, type: hanbridge takeover "
	silentReason = "counters: another bridge published this meter before, and nothing shows that the meter is the same. Set another meters.id, " +
		"or type: hanbridge takeover "
	waitingText = "the broker has a description of this meter by another bridge: counters are not published until it is clear that the other " +
		"bridge is silent"
	takenOverText = "another bridge published this meter before, and is silent now: this bridge publishes the counters from now on"
)

// logHourly logs a message about another bridge of a meter, once an hour at most.
func (s *session) logHourly(m *meter, level zerolog.Level, message string) {
	m.otherLogged = true
	if s.logDue(m.ID+": "+message, time.Hour) {
		s.log.WithLevel(level).Str("meter", m.ID).Msg(message)
	}
}

// reportDecision logs why the counters of a meter are not published, or that they are published from now on. If the other bridge is silent and
// a person must act, reportDecision also publishes the reason, so that the hub shows it.
func (s *session) reportDecision(m *meter, d decision) {
	switch {
	case d == publishCounters && m.otherLogged:
		s.logHourly(m, zerolog.InfoLevel, takenOverText)
	case d == publishCounters: // this is the usual case, in which nothing is logged
	case !m.ownership.lastOther.IsZero() && !m.ownership.isSilent(time.Now()):
		s.logHourly(m, zerolog.ErrorLevel, textForSecondBridge+m.ID)
	case d != withholdCounters:
		s.logHourly(m, zerolog.InfoLevel, waitingText)
	default:
		s.logHourly(m, zerolog.ErrorLevel, silentText+m.ID)
		if !m.reasonPublished {
			m.reasonPublished = true
			s.publish(m.prefix+discovery.RejectedReason, truncated([]byte(silentReason+m.ID)), true)
			s.publishStatus(m)
		}
	}
}
