package mqtt

import (
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
)

// sessionIdleTime is how long a broker must send nothing before the session takes its retained messages as complete. A broker sends them right
// after its answer to the subscription; a slow one gets more time.
const sessionIdleTime = 100 * time.Millisecond

// ownDevice is the id under which the bridge's own device is announced.
const ownDevice = "bridge"

// scanRetained reads which announcements of this bridge the broker retains, and then publishes everything unless ctx ends first. It runs if the
// state file may not list every announcement: at each start until foundLifetime after the first complete scan, and after another bridge has
// announced these meters. An earlier run may have announced in another style, and a hub must never receive both. So nothing is published before
// the scan has ended.
func (s *session) scanRetained(ctx context.Context) {
	s.scanned = false
	for _, m := range s.meters {
		s.endArrivalCheck(&m.announcer) // it subscribes to the same topics
	}
	var filters []string // only for the devices of this bridge, since other programs may have announced thousands
	for _, m := range append(s.feed.Meters(), bridge.Meter{ID: ownDevice}) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+m.ID)...)
	}
	sc := &scan{host: s.config.URL, limits: scanLimits{filterMessages * len(filters), filterBytes * len(filters)}, idleTime: sessionIdleTime}
	if sc.run(ctx, s.conn, s.config.testTopic(), filters) != nil {
		return
	}
	found, incomplete := sc.result()
	s.unsubscribe(filters)
	s.scanned, s.scanIncomplete = true, incomplete != nil
	if incomplete != nil && s.config.Style != discovery.Off {
		s.warn(incomplete, "not all of this bridge's earlier announcements are known: what was announced in another style, and what no meter sends any more, may be left "+
			"(hanbridge discovery clear takes it back)")
	}
	s.takeOver(messagesOf(found))
	s.publishAll()
}

// unsubscribe ends subscriptions to announcements. Otherwise this session would receive its own announcements.
func (s *session) unsubscribe(filters []string) {
	ctx, cancel := context.WithTimeout(context.Background(), echoTimeout)
	defer cancel()
	for some := range slices.Chunk(filters, 3) { // small packets, which every broker accepts
		_ = s.conn.Unsubscribe(ctx, some...) // messages that still arrive are ignored
	}
}

// foundLifetime is how long the bridge leaves an announcement that the retained scan found and whose quantity the meter has not sent. During
// that time each start scans again. It is long enough for two values that come once a day.
const foundLifetime = 50 * time.Hour

// takeOver keeps the announcements of an earlier run. Otherwise the entities of a list that comes once an hour would be missing until then.
func (s *session) takeOver(found []discovery.Message) {
	held := discovery.AnnouncedBy(found)
	s.foundQuantities = map[string]discovery.Meter{}
	for _, m := range s.config.Discovery().ParseMeters(found) {
		s.foundQuantities[m.ID] = m
	}
	for _, id := range held.MeterIDs() {
		before := device{Announced: held.OfMeter(id)}
		for _, q := range s.foundQuantities[id].Quantities {
			before.Topics = append(before.Topics, q.ID.String())
		}
		if id == ownDevice {
			id = ""
		}
		s.devices.add(id, before)
	}
	if s.foundExpiry = time.Now().Add(foundLifetime); !s.scanIncomplete { // after an incomplete scan the next start scans again
		if s.devices.document.Asked.IsZero() {
			s.devices.document.Asked = time.Now()
			s.devices.save()
		}
		s.foundExpiry = s.devices.completeAt()
	}
	s.schedule[expireTask] = s.foundExpiry
}

// forgetSeen removes from foundQuantities what the meter has sent since the scan. The bridge itself reports when such a quantity is gone.
func (s *session) forgetSeen(m *meter) {
	before, ok := s.foundQuantities[m.ID]
	if !ok {
		return
	}
	before.Quantities = slices.DeleteFunc(before.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.descriptors, func(k bridge.Descriptor) bool { return k.ID == q.ID })
	})
	s.foundQuantities[m.ID] = before
}

// expireFound removes the announcements that the retained scan found and that no meter has confirmed within foundLifetime.
func (s *session) expireFound() {
	s.foundQuantities, s.scanIncomplete = nil, false
	for _, m := range s.meters {
		m.pending = true
	}
	s.announceDue()
}
