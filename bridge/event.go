package bridge

import (
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// An Event is a change of a meter that is not a value.
type Event struct {
	Time time.Time
	// Name is one of the names of events.
	Name string
	// Quantity is the name of the counter of a CounterReset; "" for other events.
	Quantity string
	// From and To describe the state before and after, as text for people, such as aidon hdlc, 2400 8E1 or 40140.615.
	From, To string
}

// The names of events.
const (
	// ProfileChanged: the framing or the make of the telegrams has changed.
	ProfileChanged = "profile_changed"
	// SettingsChanged: the meter was found at another port or line setting.
	SettingsChanged = "settings_changed"
	// CounterReset: a counter does not continue from its last accepted value.
	CounterReset = "counter_reset"
	// MeterChanged: the telegrams come from a meter with another serial number or make.
	MeterChanged = "meter_changed"
)

// maxEvents is how many events of a meter wait for one output. If there are more, the oldest are dropped. Events are rare, so this happens only
// if an output has delivered nothing for a long time.
const maxEvents = 16

// addEvent adds an event of a meter. It never waits for the output.
func (f *Feed) addEvent(meter int, e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &f.slots[meter]
	if len(s.Events) == maxEvents {
		s.Events, s.eventsTaken = slices.Delete(s.Events, 0, 1), max(s.eventsTaken-1, 0)
	}
	s.Events, s.anyNew = append(s.Events, e), true
	f.wake()
}

// settingsChanged returns the event of a meter that was found at another endpoint.
func settingsChanged(from, to probe.Endpoint) Event {
	e := Event{Time: time.Now(), Name: SettingsChanged, From: from.Line, To: to.Line}
	if from.Port != to.Port {
		e.From, e.To = strings.TrimSpace(from.Port+" "+from.Line), strings.TrimSpace(to.Port+" "+to.Line)
	}
	return e
}

// reportEvent logs an event with a message, and adds the event to the feeds.
func (p *pipeline) reportEvent(message string, e Event) {
	from, to := e.From, e.To
	if e.Name == MeterChanged { // serial numbers are not logged
		from, to = "", ""
	}
	if count, ok := p.eventLines.Allow(e.Name + e.Quantity); ok { // the limit is needed because telegrams of two meters can alternate on one line
		ratelimit.WithCount(p.log.Info(), count).Fields(nonEmpty("quantity", e.Quantity, "from", from, "to", to)).Msg(message)
	}
	for _, f := range p.feeds {
		f.addEvent(p.index, e)
	}
}
