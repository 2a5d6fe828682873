package bridge

import (
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/probe"
)

// An Event is a change of a meter that is not a value.
type Event struct {
	// Meter is the id of the meter.
	Meter string
	Time  time.Time
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

// resetEvent returns the event of a counter that was reset.
func resetEvent(r *guard.Reset, received time.Time) Event {
	return Event{Time: received, Name: CounterReset, Quantity: r.ID.String(), From: formatCounter(r.ID, r.From), To: formatCounter(r.ID, r.To)}
}

// settingsEvent returns the event of a meter that was found at another endpoint.
func settingsEvent(from, to probe.Endpoint, at time.Time) Event {
	e := Event{Time: at, Name: SettingsChanged, From: from.Line, To: to.Line}
	if from.Port != to.Port {
		e.From, e.To = strings.TrimSpace(from.Port+" "+from.Line), strings.TrimSpace(to.Port+" "+to.Line)
	}
	return e
}
