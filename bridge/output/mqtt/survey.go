package mqtt

import (
	"context"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
)

// A survey is the scan of what a broker holds of this bridge's announcements where no memory tells: an earlier run may have announced
// them in another style, and a hub must never hear both. Nothing is published before it is over.
type survey struct {
	scan
	timer  *time.Timer
	until  context.Context // the time that the scan may take
	cancel context.CancelFunc
}

// end gives back what a survey holds.
func (v *survey) end() {
	v.cancel()
	v.timer.Stop()
}

// settled is how long a fast broker is silent at least when it has sent all that it holds: it does so right behind its answer.
const settled = 100 * time.Millisecond

// done gives a value when the broker may have said all.
func (v *survey) done() <-chan time.Time {
	if v == nil {
		return nil
	}
	return v.timer.C
}

// ownDevice is by what id the bridge's own device is announced.
const ownDevice = "bridge"

// asked are the filters of a survey: of the devices of this bridge alone, since others may have announced thousands.
func (s *session) asked() (filters []string) {
	for _, m := range append(s.feed.Meters(), bridge.Meter{ID: ownDevice}) {
		filters = append(filters, s.config.announcedFilters("hanbridge_"+m.ID)...)
	}
	return filters
}

// ask begins a survey, once in the life of an output whose memory is too young to be believed.
func (s *session) ask(ctx context.Context) error {
	s.endProofs()
	filters := s.asked()
	v := &survey{timer: time.NewTimer(settled)}
	v.host, v.most = s.config.URL, bounds{filterMessages * len(filters), filterBytes * len(filters)}
	v.until, v.cancel = context.WithTimeout(ctx, scanTime)
	if err := v.subscribe(ctx, v.until, s.conn, s.config.checkTopic(), filters); err != nil {
		v.cancel()
		return err
	}
	v.timer.Reset(v.pause(settled))
	s.survey = v
	return nil
}

// surveyEnds takes what was heard for what the broker holds, and begins to announce.
func (s *session) surveyEnds(ctx context.Context) error {
	v := s.survey
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
	s.survey, s.surveyed, s.partial = nil, true, short != nil
	if short != nil && s.config.Style != discovery.Off {
		s.warn(short, "not all of this bridge's earlier announcements are known: what was announced in another style, and what no meter sends any more, may be left "+
			"(hanbridge discovery clear takes it back)")
	}
	var messages []discovery.Message
	for _, m := range found {
		messages = append(messages, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	s.adopt(messages)
	return s.introduce()
}

// unsubscribe ends the survey's subscriptions: else this session hears its own announcements. A broker that does not answer is not waited for
// beyond the time of the scan.
func (s *session) unsubscribe(ctx, until context.Context) error {
	for filters := range slices.Chunk(s.asked(), 3) { // a broker may take small packets alone
		err := s.conn.Unsubscribe(until, filters...)
		if err != nil && (s.conn.Err() != nil || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// adoption is for how long what the survey found is believed of a meter that has not sent it, and the broker is asked again at
// each start: daily values come within.
const adoption = 50 * time.Hour

// adopt takes over what an earlier run announced: lists that come once an hour would else lose their entities until then.
func (s *session) adopt(found []discovery.Message) {
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
		s.weaned.Reset(adoption)
		return
	}
	s.devices.asked(time.Now())
	s.weaned.Reset(time.Until(s.devices.whole()))
}

// sighted forgets of what the survey found what a meter has sent since: from then on its bridge tells when it is gone.
func (s *session) sighted(m *meter) {
	before, ok := s.found[m.ID]
	if !ok {
		return
	}
	before.Quantities = slices.DeleteFunc(before.Quantities, func(q discovery.Quantity) bool {
		return slices.ContainsFunc(m.known, func(k bridge.Known) bool { return k.ID == q.ID })
	})
	s.found[m.ID] = before
}

// wean takes back what the survey found and no meter has sent.
func (s *session) wean() error {
	s.found, s.partial = nil, false
	for _, m := range s.meters {
		m.due = true
	}
	return s.announceDue()
}
