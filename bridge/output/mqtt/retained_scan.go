package mqtt

import (
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
)

// A retainedScan reads which announcements of this bridge the broker retains. It runs where the state file does not tell: an
// earlier run may have announced in another style, and a hub must never hear both. Nothing is published before it has ended.
type retainedScan struct {
	scan
	timer  *time.Timer
	until  context.Context // the time that the scan may take
	cancel context.CancelFunc
}

// end releases the timers of the scan.
func (v *retainedScan) end() {
	v.cancel()
	v.timer.Stop()
}

// settled is how long a fast broker is silent at least when it has sent all that it holds: it does so right behind its answer.
const settled = 100 * time.Millisecond

// done gives a value when the broker may have said all.
func (v *retainedScan) done() <-chan time.Time {
	if v == nil {
		return nil
	}
	return v.timer.C
}

// ownDevice is by what id the bridge's own device is announced.
const ownDevice = "bridge"

// scanFilters returns the topic filters of a retained scan. They match the devices of this bridge alone: other programs may have announced
// thousands.
func (s *session) scanFilters() (filters []string) {
	for _, m := range append(s.feed.Meters(), bridge.Meter{ID: ownDevice}) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+m.ID)...)
	}
	return filters
}

// startRetainedScan subscribes to the announcements of this bridge. That is done at the start, unless the first scan was longer ago than
// foundLifetime, and where another bridge may have announced these meters since.
func (s *session) startRetainedScan(ctx context.Context) error {
	s.endProofs()
	filters := s.scanFilters()
	v := &retainedScan{timer: time.NewTimer(settled)}
	v.host, v.most = s.config.URL, bounds{filterMessages * len(filters), filterBytes * len(filters)}
	v.until, v.cancel = context.WithTimeout(ctx, scanTime)
	if err := v.subscribe(ctx, v.until, s.conn, s.config.checkTopic(), filters); err != nil {
		v.cancel()
		return err
	}
	v.timer.Reset(v.pause(settled))
	s.scan = v
	return nil
}

// finishRetainedScan takes over what the scan found and begins to announce, or waits on where the broker still sends.
func (s *session) finishRetainedScan(ctx context.Context) error {
	v := s.scan
	if v.until.Err() != nil {
		v.late()
	}
	if !v.silent() {
		v.timer.Reset(v.pause(settled))
		return nil
	}
	found, short := v.result()
	if err := s.unsubscribe(ctx, v.until); err != nil {
		return err
	}
	v.end()
	s.scan, s.scanned, s.partial = nil, true, short != nil
	if short != nil && s.config.Style != discovery.Off {
		s.warn(short, "not all of this bridge's earlier announcements are known: what was announced in another style, and what no meter sends any more, may be left "+
			"(hanbridge discovery clear takes it back)")
	}
	var messages []discovery.Message
	for _, m := range found {
		messages = append(messages, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	s.takeOver(messages)
	return s.introduce()
}

// unsubscribe ends the subscriptions of the retained scan: else this session receives its own announcements. It waits for a broker that does
// not answer no longer than the scan may take.
func (s *session) unsubscribe(ctx, until context.Context) error {
	for filters := range slices.Chunk(s.scanFilters(), 3) { // a broker may take small packets alone
		err := s.conn.Unsubscribe(until, filters...)
		if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// foundLifetime is how long an announcement that the retained scan found is kept although its meter has not sent the quantity. Until it is
// over, each start scans again. Values that come once a day have come twice by then.
const foundLifetime = 50 * time.Hour

// takeOver keeps what an earlier run announced: lists that come once an hour would else lose their entities until then.
func (s *session) takeOver(found []discovery.Message) {
	held := discovery.HeldOf(found)
	s.found = map[string]discovery.Meter{}
	for _, a := range s.config.Discovery().Announced(found) {
		s.found[a.Meter.ID] = a.Meter
	}
	for _, id := range held.Meters() {
		before := device{Announced: held.Of(id)}
		for _, q := range s.found[id].Quantities {
			before.Topics = append(before.Topics, q.ID.String())
		}
		if id == ownDevice {
			id = ""
		}
		s.devices.add(id, before)
	}
	if s.partial { // it is asked again at the next start
		s.foundExpiry.Reset(foundLifetime)
		return
	}
	s.devices.asked(time.Now())
	s.foundExpiry.Reset(time.Until(s.devices.whole()))
}

// forgetSeen removes from found what the meter has sent since the scan: from then on the bridge itself tells when a quantity is gone.
func (s *session) forgetSeen(m *meter) {
	before, ok := s.found[m.ID]
	if !ok {
		return
	}
	before.Quantities = slices.DeleteFunc(before.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.known, func(k bridge.Known) bool { return k.ID == q.ID })
	})
	s.found[m.ID] = before
}

// expireFound removes the announcements that the retained scan found and that no meter has confirmed within foundLifetime.
func (s *session) expireFound() error {
	s.found, s.partial = nil, false
	for _, m := range s.meters {
		m.due = true
	}
	return s.announceDue()
}
