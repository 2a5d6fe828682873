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

// A paced meter is known by what it sends and how often.
type paced struct {
	id         string
	interval   time.Duration // of its telegrams
	quantities []estimate.Sent
}

// usualInterval is that of most meters, for a recording without a clock.
const usualInterval = 10 * time.Second

// pacedSeen tells how often each quantity came, by the meter's own clock.
func pacedSeen(s *announcements.Observation) paced {
	m := paced{id: s.Meter.ID, interval: s.Interval}
	if span := s.Last.Sub(s.First); m.interval == 0 && span > 0 && s.Telegrams > 1 {
		m.interval = (span / time.Duration(s.Telegrams-1)).Round(100 * time.Millisecond)
	}
	if m.interval <= 0 {
		m.interval = usualInterval
	}
	for _, q := range s.Meter.Quantities {
		every := (m.interval * time.Duration(s.Telegrams) / time.Duration(s.Sent[q.ID])).Round(100 * time.Millisecond)
		if s.Telegrams > 2 && s.Sent[q.ID] == 1 {
			every = time.Hour // the counters of Nordic meters come so
		}
		m.quantities = append(m.quantities, estimate.Sent{ID: q.ID, Decimals: uint8(q.Decimals), Every: every})
	}
	slices.SortFunc(m.quantities, func(a, b estimate.Sent) int { return int(a.ID) - int(b.ID) })
	return m
}

// typicalFamily stands in for a meter of which nothing is known.
const typicalFamily = "aidon-se"

// addKnown adds the configured meters of which something is kept; err is why nothing could be asked.
func (r *report) addKnown(w *daemon.Setup, k announcements.Retained, err error) {
	var silent []string
	for _, m := range announcements.RetainedMeters(w, k) {
		if len(m.Quantities) == 0 {
			silent = append(silent, m.ID)
			continue
		}
		r.add(w.Config, pacedKept(m, k.Values[m.ID]))
	}
	switch {
	case len(r.Meters) == 0 && err == nil:
		r.addTypical(w, w.MQTTOutput().URL+" holds nothing of it")
	case len(r.Meters) == 0:
		r.addTypical(w, err.Error())
	case err != nil:
		r.Note = fmt.Sprintf("Perhaps not counted in full: %v.", err)
	case len(silent) > 0:
		r.Note = fmt.Sprintf("Not counted, since the broker holds nothing of it yet: %s.", strings.Join(silent, ", "))
	}
}

func (r *report) addTypical(w *daemon.Setup, why string) {
	r.Note = fmt.Sprintf("Nothing is known of your meter yet (%s).\nThese are the numbers of a typical Swedish one: %s, a telegram every 10 s.",
		why, typicalFamily)
	f, _ := simulate.Named(typicalFamily)
	if s, err := announcements.ObserveFamily(w, f); err == nil { // our own telegrams
		typical := pacedSeen(s)
		typical.id = "a typical meter"
		r.add(w.Config, typical)
	}
}

// pacedKept takes the interval from what the bridge has published; quantities that come seldom are known by their announcement.
func pacedKept(m discovery.Meter, values map[string]string) paced {
	p := paced{id: m.ID, interval: usualInterval}
	if d, err := obis.ParseDecimal([]byte(values[discovery.TelegramInterval])); err == nil && d.Sign() > 0 {
		for p.interval = time.Duration(d.Coef) * time.Second; d.Exp < 0; d.Exp++ {
			p.interval /= 10
		}
	}
	for _, q := range m.Quantities {
		p.quantities = append(p.quantities, estimate.Sent{ID: q.ID, Decimals: uint8(q.Decimals), Every: max(p.interval, q.Interval)})
	}
	return p
}
