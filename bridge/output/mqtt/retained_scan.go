package mqtt

import (
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
)

// settled is how long a fast broker is silent at least when it has sent all that it holds: it does so right behind its answer.
const settled = 100 * time.Millisecond

// ownDevice is by what id the bridge's own device is announced.
const ownDevice = "bridge"

// scanRetained reads which announcements of this bridge the broker retains, and begins to announce unless ctx ends before. That is done where the state file does
// not tell: an earlier run may have announced in another style, and a hub must never hear both. So it is at the start, unless the first scan
// was longer ago than foundLifetime, and where another bridge may have announced these meters since. Nothing is published before it has ended.
func (s *session) scanRetained(ctx context.Context) {
	s.scanned = false
	for _, m := range s.meters {
		s.endProof(&m.announcer) // it subscribes to the same topics
	}
	var filters []string // of the devices of this bridge alone: other programs may have announced thousands
	for _, m := range append(s.feed.Meters(), bridge.Meter{ID: ownDevice}) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+m.ID)...)
	}
	v := &scan{host: s.config.URL, most: bounds{filterMessages * len(filters), filterBytes * len(filters)}, quiet: settled}
	if v.run(ctx, s.conn, s.config.testTopic(), filters) != nil {
		return
	}
	found, short := v.result()
	s.unsubscribe(filters)
	s.scanned, s.partial = true, short != nil
	if short != nil && s.config.Style != discovery.Off {
		s.warn(short, "not all of this bridge's earlier announcements are known: what was announced in another style, and what no meter sends any more, may be left "+
			"(hanbridge discovery clear takes it back)")
	}
	s.takeOver(messagesOf(found))
	s.introduce()
}

// unsubscribe ends the subscriptions of the retained scan: else this session receives its own announcements.
func (s *session) unsubscribe(filters []string) {
	ctx, cancel := context.WithTimeout(context.Background(), echoWait)
	defer cancel()
	for some := range slices.Chunk(filters, 3) { // a broker may take small packets alone
		_ = s.conn.Unsubscribe(ctx, some...) // what comes nevertheless is heard by nobody
	}
}

// foundLifetime is how long an announcement that the retained scan found is kept although its meter has not sent the quantity. Until it is
// over, each start scans again. Values that come once a day have come twice by then.
const foundLifetime = 50 * time.Hour

// takeOver keeps what an earlier run announced: lists that come once an hour would else lose their entities until then.
func (s *session) takeOver(found []discovery.Message) {
	held := discovery.AnnouncedBy(found)
	s.found = map[string]discovery.Meter{}
	for _, m := range s.config.Discovery().ParseMeters(found) {
		s.found[m.ID] = m
	}
	for _, id := range held.MeterIDs() {
		before := device{Announced: held.OfMeter(id)}
		for _, q := range s.found[id].Quantities {
			before.Topics = append(before.Topics, q.ID.String())
		}
		if id == ownDevice {
			id = ""
		}
		s.devices.add(id, before)
	}
	if s.foundUntil = time.Now().Add(foundLifetime); !s.partial { // else it is asked again at the next start
		if s.devices.kept.Asked.IsZero() {
			s.devices.kept.Asked = time.Now()
			s.devices.keep()
		}
		s.foundUntil = s.devices.whole()
	}
	s.due[expireTask] = s.foundUntil
}

// forgetSeen removes from found what the meter has sent since the scan: from then on the bridge itself tells when a quantity is gone.
func (s *session) forgetSeen(m *meter) {
	before, ok := s.found[m.ID]
	if !ok {
		return
	}
	before.Quantities = slices.DeleteFunc(before.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.known, func(k bridge.Descriptor) bool { return k.ID == q.ID })
	})
	s.found[m.ID] = before
}

// expireFound removes the announcements that the retained scan found and that no meter has confirmed within foundLifetime.
func (s *session) expireFound() {
	s.found, s.partial = nil, false
	for _, m := range s.meters {
		m.due = true
	}
	s.announceDue()
}
