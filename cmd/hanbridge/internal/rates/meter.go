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

// sendProfile says which quantities a meter sends, and how often.
type sendProfile struct {
	id         string        // id of the meter
	interval   time.Duration // between two telegrams
	quantities []estimate.Quantity
}

// usualInterval is the interval between telegrams of most meters. It is used if the interval is not known, as for a recording without times.
const usualInterval = 10 * time.Second

// profileOf returns the profile of an observed meter. If o.Interval is 0, profileOf computes the interval from the times that the meter
// sent. If it sent no times, the interval is usualInterval.
func profileOf(o *announcements.Observation) sendProfile {
	p := sendProfile{id: o.Meter.ID, interval: o.Interval}
	if span := o.Last.Sub(o.First); p.interval == 0 && span > 0 && o.Telegrams > 1 {
		p.interval = (span / time.Duration(o.Telegrams-1)).Round(100 * time.Millisecond)
	}
	if p.interval <= 0 {
		p.interval = usualInterval
	}
	for _, q := range o.Meter.Quantities {
		// o.Sent[q.ID] of o.Telegrams telegrams contained the quantity.
		interval := (p.interval * time.Duration(o.Telegrams) / time.Duration(o.Sent[q.ID])).Round(100 * time.Millisecond)
		if o.Telegrams > 2 && o.Sent[q.ID] == 1 {
			interval = time.Hour // the quantity is likely a counter of a Nordic meter, which sends its counters once an hour
		}
		p.quantities = append(p.quantities, estimate.Quantity{ID: q.ID, Decimals: uint8(q.Decimals), Interval: interval})
	}
	slices.SortFunc(p.quantities, func(a, b estimate.Quantity) int { return int(a.ID) - int(b.ID) })
	return p
}

// typicalFamily is the simulated family whose profile is used if nothing is known about the meter.
const typicalFamily = "aidon-se"

// addRetained adds the rates of the configured meters for which the broker retains messages. If there is no such meter, it adds the rates of a
// typical meter. err is the error of reading the retained messages; nil if all were read. addRetained sets the note of the report.
func (r *report) addRetained(setup *daemon.Setup, retained announcements.Retained, err error) {
	var missing []string // ids of the meters for which the broker retains no message
	for _, m := range announcements.RetainedMeters(setup, retained) {
		if len(m.Quantities) == 0 {
			missing = append(missing, m.ID)
			continue
		}
		r.add(setup.Config, profileFromBroker(m, retained.Values[m.ID]))
	}
	switch {
	case len(r.Meters) == 0 && err == nil:
		r.addTypical(setup, setup.MQTTOutput().URL+" retains no message of it")
	case len(r.Meters) == 0:
		r.addTypical(setup, err.Error())
	case err != nil:
		r.Note = fmt.Sprintf("The numbers are possibly too low: %v.", err)
	case len(missing) > 0:
		r.Note = fmt.Sprintf("Not counted, because the broker retains no message of them yet: %s.", strings.Join(missing, ", "))
	}
}

// addTypical adds the rates of a typical meter, and a note with the reason.
func (r *report) addTypical(setup *daemon.Setup, reason string) {
	r.Note = fmt.Sprintf("Nothing is known of your meter yet (%s).\nThese are the numbers of a typical Swedish meter: %s, every 10 s.",
		reason, typicalFamily)
	f, _ := simulate.Named(typicalFamily)
	if observed, err := announcements.ObserveFamily(setup, f); err == nil { // always: simulated telegrams can be read
		typical := profileOf(observed)
		typical.id = "a typical meter"
		r.add(setup.Config, typical)
	}
}

// profileFromBroker returns the profile of a meter from its retained messages. values are its retained values, by the last level of the topic.
// They contain the interval between telegrams in seconds. m is the meter as announced. If the announcement shows no interval for a
// quantity, the quantity gets the interval of the telegrams.
func profileFromBroker(m discovery.Meter, values map[string]string) sendProfile {
	p := sendProfile{id: m.ID, interval: usualInterval}
	if d, err := obis.ParseDecimal([]byte(values[discovery.TelegramInterval])); err == nil && d.Sign() > 0 {
		// d is d.Coef × 10^d.Exp seconds, and d.Exp is at most 0.
		for p.interval = time.Duration(d.Coef) * time.Second; d.Exp < 0; d.Exp++ {
			p.interval /= 10
		}
	}
	for _, q := range m.Quantities {
		p.quantities = append(p.quantities, estimate.Quantity{ID: q.ID, Decimals: uint8(q.Decimals), Interval: max(p.interval, q.Interval)})
	}
	return p
}
