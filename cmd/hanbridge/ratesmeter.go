package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/bridge/lane"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// A paced meter is known by what it sends and how often.
type paced struct {
	id         string
	interval   time.Duration // of its telegrams
	quantities []lane.Sent
}

// usualInterval is that of most meters, for a recording without a clock.
const usualInterval = 10 * time.Second

// paced tells how often each quantity came, by the meter's own clock.
func (s *seen) paced() paced {
	m := paced{id: s.meter.ID, interval: s.interval}
	if span := s.last.Sub(s.first); m.interval == 0 && span > 0 && s.telegrams > 1 {
		m.interval = (span / time.Duration(s.telegrams-1)).Round(100 * time.Millisecond)
	}
	if m.interval <= 0 {
		m.interval = usualInterval
	}
	for _, q := range s.meter.Quantities {
		every := (m.interval * time.Duration(s.telegrams) / time.Duration(s.sent[q.ID])).Round(100 * time.Millisecond)
		if s.telegrams > 2 && s.sent[q.ID] == 1 {
			every = time.Hour // the counters of Nordic meters come so
		}
		m.quantities = append(m.quantities, lane.Sent{ID: q.ID, Decimals: uint8(q.Decimals), Every: every})
	}
	slices.SortFunc(m.quantities, func(a, b lane.Sent) int { return int(a.ID) - int(b.ID) })
	return m
}

// anHour sees a simulated meter for an hour.
func anHour(w *daemon.Setup, f simulate.Family) (*seen, error) {
	telegrams := int(time.Hour / f.Interval)
	if f.Hourly%f.Interval != 0 {
		telegrams++
	}
	s, err := seeFamily(w, f, telegrams)
	if err == nil {
		s.interval = f.Interval
	}
	return s, err
}

// typicalFamily stands in for a meter of which nothing is known.
const typicalFamily = "aidon-se"

// addKept adds the configured meters as far as the broker knows them, a typical one where it knows none.
func (r *rates) addKept(ctx context.Context, w *daemon.Setup) {
	k, err := kept{}, errors.New("no broker is set")
	if w.NeedBroker() == nil {
		k, err = readKept(ctx, w)
	}
	r.addKnown(w, k, err)
}

// addKnown adds the configured meters of which something is kept; err is why nothing could be asked.
func (r *rates) addKnown(w *daemon.Setup, k kept, err error) {
	var silent []string
	for _, m := range known(w, k) {
		if len(m.Quantities) == 0 {
			silent = append(silent, m.ID)
			continue
		}
		r.add(w.Config, pacedKept(m, k.values[m.ID]))
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

func (r *rates) addTypical(w *daemon.Setup, why string) {
	r.Note = fmt.Sprintf("Nothing is known of your meter yet (%s).\nThese are the numbers of a typical Swedish one: %s, a telegram every 10 s.",
		why, typicalFamily)
	f, _ := simulate.Named(typicalFamily)
	if s, err := anHour(w, f); err == nil { // our own telegrams
		typical := s.paced()
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
		p.quantities = append(p.quantities, lane.Sent{ID: q.ID, Decimals: uint8(q.Decimals), Every: max(p.interval, q.Every)})
	}
	return p
}
