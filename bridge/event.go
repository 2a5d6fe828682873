package bridge

import (
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// An Event is something that happened to a meter and is no value.
type Event struct {
	Time time.Time
	// Name is one of the names below.
	Name string
	// Quantity is the counter of a CounterReset, "" for others.
	Quantity string
	// From and To are what was before and is from now on, as people write it: aidon hdlc, 2400 8E1, 40140.615.
	From, To string
}

// The names of events.
const (
	// ProfileChanged: the meter speaks another protocol, or as another make.
	ProfileChanged = "profile_changed"
	// SettingsChanged: the meter was found again at another line setting or port.
	SettingsChanged = "settings_changed"
	// CounterReset: a counter goes on from another value than its last good one.
	CounterReset = "counter_reset"
	// MeterChanged: a meter with another serial number speaks.
	MeterChanged = "meter_changed"
)

// mostEvents is how many events wait for one output. When there are more the oldest go: events are rare, so an output that
// misses one has been away for long.
const mostEvents = 16

// event hands over an event. It never blocks.
func (f *Feed) event(meter int, e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	if len(s.Events) == mostEvents {
		s.Events, s.given = slices.Delete(s.Events, 0, 1), max(s.given-1, 0)
	}
	s.Events, s.anyNew = append(s.Events, e), true
	f.wake()
}

// settingsChanged is the event of a meter that was found again elsewhere.
func settingsChanged(from, to probe.Endpoint) Event {
	e := Event{Time: time.Now(), Name: SettingsChanged, From: from.Line, To: to.Line}
	if from.Port != to.Port {
		e.From, e.To = strings.TrimSpace(from.Port+" "+from.Line), strings.TrimSpace(to.Port+" "+to.Line)
	}
	return e
}

// changed tells the log and the outputs of an event, once.
func (p *pipeline) changed(message string, e Event) {
	from, to := e.From, e.To
	if e.Name == MeterChanged { // its numbers are nobody's business in a log
		from, to = "", ""
	}
	if count, ok := p.happened.Allow(e.Name + e.Quantity); ok { // two meters may speak by turns
		ratelimit.WithCount(p.log.Info(), count).Fields(nonEmpty("quantity", e.Quantity, "from", from, "to", to)).Msg(message)
	}
	for _, f := range p.feeds {
		f.event(p.index, e)
	}
}
