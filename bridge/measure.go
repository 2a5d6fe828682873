package bridge

import (
	"fmt"
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/bridge/throttle"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// measure makes the values of a telegram, without counters that cannot be right and what derives from them. It returns the
// samples that are left.
func (p *pipeline) measure(r *meter.Reading, now time.Time) []quantity.Sample {
	if p.seq == 0 {
		p.compare(r, now)
	}
	j := p.guard.Check(&guard.Telegram{Received: now, MeterTime: zoned(r.Time, now), Serial: r.Meter.Serial, Samples: r.Samples})
	for i := range j.Rejected {
		p.reject(&j.Rejected[i])
		// The broker keeps what it has until the next telegram: what an earlier run kept may be older than what was published last.
		p.reminder = slices.DeleteFunc(p.reminder, func(v Value) bool { return v.ID == j.Rejected[i].ID })
	}
	if j.ReplacedSerial != "" {
		p.forget(now)
		p.changed("another meter speaks here", Event{Time: now, Name: MeterChanged, From: j.ReplacedSerial, To: r.Meter.Serial})
	}
	for i := range j.Resets {
		p.reset(&j.Resets[i], now)
		p.throttle.Forget(j.Resets[i].ID) // event and value go together
	}
	p.values = p.values[:0]
	for i := range j.Accepted {
		p.values = append(p.values, p.descriptors.value(&j.Accepted[i], now))
	}
	return j.Accepted
}

// reject counts a counter's value that is held back; one that goes on being so counts once. The first for a reason is told in the
// log, all in the hub.
func (p *pipeline) reject(h *guard.Rejection) {
	if h.Repeated {
		return
	}
	reason := fmt.Sprintf("%s %s: %v", h.ID, shown(h.ID, h.Value), h.Reason)
	if !h.First {
		reason += ", last " + shown(h.ID, h.LastAccepted)
	}
	p.liveness.mu.Lock()
	p.liveness.stats.Rejected++
	if h.Reason != guard.PartRejected { // the tariff's own reason, just before, says more
		p.liveness.stats.RejectedReason = reason
	}
	p.liveness.mu.Unlock()
	message := heldBack
	if h.Reason == guard.Jump {
		message = heldBackUp
	}
	p.dropped.warn(p.log.With().Str("quantity", h.ID.String()).Str("reason", reason).Logger(), message, h.Reason.String(), nil, 0)
}

const (
	held       = "counter held back: it cannot have counted that, and a hub would keep the wrong consumption for ever. If it goes on, "
	heldBack   = held + "it is taken for a new meter"
	heldBackUp = held + "it is taken for a new meter after a day. If it is one, and that is too long: stop hanbridge, remove its file from " +
		"state_dir, and start it"
)

// shown writes a counter as it is published.
func shown(id quantity.ID, value obis.Decimal) string {
	return string(value.AppendFixed(nil, max(0, int(id.Row().Decimals))))
}

// reset tells of a counter that has begun anew.
func (p *pipeline) reset(r *guard.Reset, now time.Time) {
	e := Event{Time: now, Name: CounterReset, Quantity: r.ID.String(), From: shown(r.ID, r.From), To: shown(r.ID, r.To)}
	p.changed("a counter goes on from another value: it was reset, or the meter is a new one. A hub may take the step for consumption: in "+
		"Home Assistant put it right under Developer tools, Statistics", e)
}

// choose puts into update what is to be published of the telegram's values. It reports whether a counter is among it, and whether one is
// that does not come with the next telegrams.
func (p *pipeline) choose(now time.Time) (counted, seldom bool) {
	u := &p.update
	u.values, u.again, u.gone = u.values[:0], u.again[:0], u.gone[:0]
	every := p.every.learned()
	for _, f := range p.feeds {
		if f.wantsWhole(p.index) {
			p.throttle = throttle.New(p.plan)
		}
	}
	for i := range p.values {
		v := &p.values[i]
		switch p.decide(v, now, every) {
		case throttle.Publish:
			u.values = append(u.values, *v)
			if v.ID.Row().StateClass == quantity.TotalIncreasing {
				counted = true
				seldom = seldom || p.descriptors.all[v.ID].class() > cadences[0]
			}
		case throttle.Repeat:
			u.again = append(u.again, v.ID)
		case throttle.Withhold:
		}
	}
	u.values = p.remind(u.values)
	if now.Sub(p.reviewed) >= time.Minute {
		p.reviewed = now
		u.gone = p.descriptors.review(now, p.since)
		for _, id := range u.gone {
			p.throttle.Forget(id)
		}
	}
	u.descriptors = p.descriptors.taken()
	return counted, seldom
}

// remind appends, once, the counters of an earlier run that the first telegram does not bring: a broker may have lost them, and
// a list may come but once an hour.
func (p *pipeline) remind(values []Value) []Value {
	for _, old := range p.reminder {
		if !slices.ContainsFunc(p.values, func(v Value) bool { return v.ID == old.ID }) {
			values = append(values, old)
		}
	}
	p.reminder = nil
	return values
}

func (p *pipeline) decide(v *Value, now time.Time, every time.Duration) throttle.Decision {
	if p.source.Recorded {
		return throttle.Publish // somebody wants to see all of it
	}
	return p.throttle.Decide(now, every, v.ID, v.Number, v.Decimals, v.Text)
}

// pending puts into update the values that the throttle withheld: what is left at a stop.
func (p *pipeline) pending() {
	p.update = update{}
	for id := range quantity.Count() {
		if p.descriptors.all[id].set && p.throttle.Withheld(quantity.ID(id)) {
			p.update.values = append(p.update.values, p.descriptors.all[id].last)
		}
	}
}
