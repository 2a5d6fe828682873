package mqtt

import (
	"context"
	"slices"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// addAndRemoveMeters creates the state of meters that were added to the bridge, and removes what the broker retains of meters that were removed.
func (s *session) addAndRemoveMeters(ctx context.Context, updates []bridge.MeterUpdate) {
	for i := range updates {
		u := &updates[i]
		switch {
		case u.Removed:
			s.removeMeter(u.Meter.ID)
		case s.meters[u.Meter.ID] == nil:
			s.addMeter(ctx, u.Meter)
		}
	}
}

// addMeter creates the state of a meter.
func (s *session) addMeter(ctx context.Context, m bridge.Meter) {
	created := &meter{Meter: m, prefix: s.config.BaseTopic + "/" + m.ID + "/", ownership: s.ownership(m.ID), withheldCounters: map[quantity.ID]bridge.Value{}}
	created.announcer = announcer{meterID: m.ID, wanted: func(style discovery.Style) wantedDevice { return s.wanted(created, style) }}
	s.meters[m.ID] = created
	isKnown := slices.Contains(s.meterIDs, m.ID)
	if isKnown && !s.isRemoved(m.ID) {
		return // the session began with this meter
	}
	s.removedMeters = slices.DeleteFunc(s.removedMeters, func(a announcer) bool { return a.meterID == m.ID })
	if !isKnown {
		s.meterIDs = append(s.meterIDs, m.ID)
	}
	_ = s.subscribeToOthers(ctx, m.ID) // an error means that the connection or ctx has ended
}

// isRemoved reports whether a meter was removed, and this session removes what the broker retains of it.
func (s *session) isRemoved(id string) bool {
	return slices.ContainsFunc(s.removedMeters, func(a announcer) bool { return a.meterID == id })
}

// removeMeter removes the announcements and values of a meter from the broker, unless another bridge publishes the meter.
func (s *session) removeMeter(id string) {
	if s.isRemoved(id) || !slices.Contains(s.meterIDs, id) {
		return // it was removed before this session began
	}
	if !s.manyMeters() {
		s.unsubscribe(s.config.filtersOfOthers(id))
	}
	if m := s.meters[id]; m != nil { // nil if it was removed while this session began
		s.endArrivalCheck(&m.announcer)
		if m.otherAnnounces() {
			s.dropRecord(m)
		}
	}
	delete(s.meters, id)
	delete(s.foundMeters, id)
	delete(s.ownerships, id)
	delete(s.arrivalChecked, id)
	s.meterIDs = slices.DeleteFunc(s.meterIDs, func(other string) bool { return other == id })
	removed := announcer{meterID: id, pending: true, wanted: func(discovery.Style) wantedDevice { return wantedDevice{} }}
	s.removedMeters = append(s.removedMeters, removed)
	s.announce(&s.removedMeters[len(s.removedMeters)-1])
}

// filtersOfOthers returns the filters of the topics under which another bridge publishes its description and its telegrams of a meter.
func (c Config) filtersOfOthers(id string) []string {
	return []string{c.BaseTopic + "/" + id + "/info", c.BaseTopic + "/" + id + "/telegram"}
}
