package mqtt

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// sessionIdleTime is how long the broker must send nothing before the session assumes that all retained messages have arrived, unless a marker shows
// this earlier (see scan.run). A broker sends them right after its answer to the subscription.
const sessionIdleTime = 100 * time.Millisecond

// ownDevice is the id under which the bridge's own device is announced.
const ownDevice = "bridge"

// scanRetained reads which announcements of this bridge the broker retains, and then publishes everything unless ctx or the connection ends
// earlier. It runs at every start until 50 h (foundLifetime) after the first complete scan, and after this bridge has replaced another bridge
// while discovery is on. It does not run if Config.BrokerEmpty is true. Nothing is announced
// before the scan has ended, because an earlier run has possibly announced in another style. A hub must never receive announcements in two
// styles.
func (s *session) scanRetained(ctx context.Context) {
	s.scanned = false
	for _, m := range s.meters {
		s.endArrivalCheck(&m.announcer) // the check has subscribed to the same topics, and the scan ends these subscriptions
	}
	// The scan reads only the devices of this bridge, because other programs can have announced thousands of devices.
	var filters []string
	for _, id := range append(slices.Clone(s.meterIDs), ownDevice) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+id)...)
	}
	sc := &scan{url: s.config.URL, limits: scanLimits{filterMessages * len(filters), filterBytes * len(filters)}, idleTime: sessionIdleTime}
	if s.manyMeters() {
		filters, sc.accepts = s.config.announcedFilters("+"), s.isOwnAnnouncement
	}
	if sc.run(ctx, s.conn, s.scanMarker(), filters) != nil {
		return
	}
	messages, incompleteErr := sc.result()
	s.unsubscribe(filters)
	s.scanned, s.scanIncomplete = true, incompleteErr != nil
	if incompleteErr != nil && s.config.Style != discovery.Off {
		s.warn(incompleteErr, "not all of this bridge's earlier announcements are known: what was announced in another style, and what no meter sends any more, possibly remains on the broker "+
			"(hanbridge discovery clear removes it)")
	}
	s.adoptFound(discoveryMessages(messages))
	s.publishAll()
}

// isOwnAnnouncement reports whether a topic announces a device of this bridge.
func (s *session) isOwnAnnouncement(topic string) bool {
	_, device, _ := strings.Cut(topic, "/hanbridge_")
	id, _, _ := strings.Cut(device, "/")
	return id == ownDevice || slices.Contains(s.meterIDs, id)
}

// scanMarker returns the marker of the retained scan: the status of this bridge, to which the session has subscribed before. The broker sends
// a retained status again when the session subscribes again (MQTT 3.1.1, section 3.8.4). Nothing is published for the scan.
// If the session has not received a retained status, the broker retains no status, or sends it late and the status that is expected
// then is mistaken for the marker. Then the marker is a topic without messages.
func (s *session) scanMarker() marker {
	if !s.statusReceived {
		return marker{topic: s.config.testTopic()}
	}
	return marker{topic: s.config.statusTopic(), qos: 1, receive: func(m broker.Message) {
		if !m.Retain { // a retained status was recorded before, and possibly this session has replaced it since then
			s.receiveOwnStatus(m)
		}
	}}
}

// requestTimeout is how long the broker has to answer requests to subscribe to announcements, or to end subscriptions.
const requestTimeout = 2 * time.Second

// unsubscribe ends subscriptions to announcements. Otherwise this session would receive its own announcements.
func (s *session) unsubscribe(filters []string) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	for chunk := range slices.Chunk(filters, 3) { // small packets, which every broker accepts
		_ = s.conn.Unsubscribe(ctx, chunk...) // if this fails, messages still arrive and are ignored
	}
}

// foundLifetime is how long an announcement that the retained scan found remains on the broker although the meter has not sent its quantity. In
// that time, a value that is sent once a day arrives at least twice.
const foundLifetime = 50 * time.Hour

// adoptFound adds the announcements that the retained scan found to the record of retained messages. Until foundExpiry, the bridge does
// not remove them. Otherwise the entities of quantities that the meter sends once an hour would disappear for up to an hour after each start.
func (s *session) adoptFound(found []discovery.Message) {
	announced := discovery.AnnouncedBy(found)
	s.foundMeters = map[string]discovery.Meter{}
	for _, m := range s.config.Discovery().ParseMeters(found) {
		s.foundMeters[m.ID] = m
	}
	for _, id := range announced.MeterIDs() {
		foundDevice := device{Announced: announced.OfMeter(id)}
		for _, q := range s.foundMeters[id].Quantities {
			foundDevice.Topics = append(foundDevice.Topics, q.ID.String()) // the topic of a value ends with the id of its quantity
		}
		if id == ownDevice {
			id = "" // the key of the bridge's own device in s.devices
		}
		s.devices.add(id, foundDevice)
	}
	s.foundExpiry = time.Now().Add(foundLifetime)
	if !s.scanIncomplete { // an incomplete scan is not recorded, so the next start scans again
		if s.devices.document.FirstScan.IsZero() {
			s.devices.change(func(document *deviceDocument) { document.FirstScan = time.Now() })
		}
		s.foundExpiry = s.devices.recordCompleteAt()
	}
	s.schedule[expireTask] = s.foundExpiry
}

// dropConfirmed removes from foundMeters the quantities that the meter has sent since the scan. These quantities are then announced because
// they are in the descriptors of the meter.
func (s *session) dropConfirmed(m *meter) {
	found, ok := s.foundMeters[m.ID]
	if !ok {
		return
	}
	found.Quantities = slices.DeleteFunc(found.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.descriptors, func(d bridge.Descriptor) bool { return d.ID == q.ID })
	})
	s.foundMeters[m.ID] = found
}

// expireFound runs at foundExpiry. It drops the quantities that no meter has sent since the scan. The next announcement steps of the meters
// then remove the announcements of these quantities.
func (s *session) expireFound() {
	s.foundMeters, s.scanIncomplete = nil, false
	for _, m := range s.meters {
		m.pending = true
	}
	s.announceDue()
}
