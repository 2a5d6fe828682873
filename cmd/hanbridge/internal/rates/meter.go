package rates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/estimate"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/announcements"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A sendProfile says which quantities a meter sends, and how often.
type sendProfile struct {
	id         string
	interval   time.Duration // of its telegrams
	quantities []estimate.Quantity
}

// usualInterval is the interval between telegrams of most meters. It stands for an unknown interval, as in a recording without times.
const usualInterval = 10 * time.Second

// profileOf returns the profile of an observed meter. The meter's own clock gives the intervals.
func profileOf(s *announcements.Observation) sendProfile {
	m := sendProfile{id: s.Meter.ID, interval: s.Interval}
	if span := s.Last.Sub(s.First); m.interval == 0 && span > 0 && s.Telegrams > 1 {
		m.interval = (span / time.Duration(s.Telegrams-1)).Round(100 * time.Millisecond)
	}
	if m.interval <= 0 {
		m.interval = usualInterval
	}
	for _, q := range s.Meter.Quantities {
		every := (m.interval * time.Duration(s.Telegrams) / time.Duration(s.Sent[q.ID])).Round(100 * time.Millisecond)
		if s.Telegrams > 2 && s.Sent[q.ID] == 1 {
			every = time.Hour // Nordic meters send their counters once an hour
		}
		m.quantities = append(m.quantities, estimate.Quantity{ID: q.ID, Decimals: uint8(q.Decimals), Interval: every})
	}
	slices.SortFunc(m.quantities, func(a, b estimate.Quantity) int { return int(a.ID) - int(b.ID) })
	return m
}

// typicalFamily is the simulated family whose profile is used if nothing is known about the meter.
const typicalFamily = "aidon-se"

// addRetained adds the configured meters for which the broker retains messages, or else a typical meter. err is the error of the broker.
func (r *report) addRetained(setup *daemon.Setup, k announcements.Retained, err error) {
	var missing []string
	for _, m := range announcements.RetainedMeters(setup, k) {
		if len(m.Quantities) == 0 {
			missing = append(missing, m.ID)
			continue
		}
		r.add(setup.Config, profileFromBroker(m, k.Values[m.ID]))
	}
	switch {
	case len(r.Meters) == 0 && err == nil:
		r.addTypical(setup, setup.MQTTOutput().URL+" holds nothing of it")
	case len(r.Meters) == 0:
		r.addTypical(setup, err.Error())
	case err != nil:
		r.Note = fmt.Sprintf("Perhaps not counted in full: %v.", err)
	case len(missing) > 0:
		r.Note = fmt.Sprintf("Not counted, since the broker holds nothing of it yet: %s.", strings.Join(missing, ", "))
	}
}

// addTypical adds the rates of a typical meter, and a note why.
func (r *report) addTypical(setup *daemon.Setup, why string) {
	r.Note = fmt.Sprintf("Nothing is known of your meter yet (%s).\nThese are the numbers of a typical Swedish one: %s, a telegram every 10 s.",
		why, typicalFamily)
	f, _ := simulate.Named(typicalFamily)
	if s, err := announcements.ObserveFamily(setup, f); err == nil { // simulated telegrams have no error
		typical := profileOf(s)
		typical.id = "a typical meter"
		r.add(setup.Config, typical)
	}
}

// profileFromBroker returns the profile of a meter from the messages that the broker retains. The bridge has published the interval between
// telegrams. The announcement says which quantities are sent less often.
func profileFromBroker(m discovery.Meter, values map[string]string) sendProfile {
	p := sendProfile{id: m.ID, interval: usualInterval}
	if d, err := obis.ParseDecimal([]byte(values[discovery.TelegramInterval])); err == nil && d.Sign() > 0 {
		for p.interval = time.Duration(d.Coef) * time.Second; d.Exp < 0; d.Exp++ {
			p.interval /= 10
		}
	}
	for _, q := range m.Quantities {
		p.quantities = append(p.quantities, estimate.Quantity{ID: q.ID, Decimals: uint8(q.Decimals), Interval: max(p.interval, q.Interval)})
	}
	return p
}
