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

// measure sets values to those of a telegram, without counters that the guard rejects. It returns the accepted samples.
func (p *pipeline) measure(r *meter.Reading, now time.Time) []quantity.Sample {
	if p.seq == 0 {
		p.checkSameMeter(r, now)
	}
	result := p.guard.Check(&guard.Telegram{Received: now, MeterTime: zoned(r.Time, now), Serial: r.Meter.Serial, Samples: r.Samples})
	for i := range result.Rejected {
		p.reject(&result.Rejected[i])
		// The stored value is not published: the retained one on the broker may be newer.
		p.storedCounters = slices.DeleteFunc(p.storedCounters, func(v Value) bool { return v.ID == result.Rejected[i].ID })
	}
	if result.ReplacedSerial != "" {
		p.forgetMeter(now)
		p.changed("another meter speaks here", Event{Time: now, Name: MeterChanged, From: result.ReplacedSerial, To: r.Meter.Serial})
	}
	for i := range result.Resets {
		p.reset(&result.Resets[i], now)
		p.throttle.Forget(result.Resets[i].ID) // the value is published together with the event
	}
	p.values = p.values[:0]
	for i := range result.Accepted {
		p.values = append(p.values, p.descriptors.value(&result.Accepted[i], now))
	}
	return result.Accepted
}

// reject counts a rejected value. Values that are rejected in a row for the same reason count once. The first rejection for each reason is logged.
// Each counted rejection changes the reason that outputs get.
func (p *pipeline) reject(r *guard.Rejection) {
	if r.Repeated {
		return
	}
	reason := fmt.Sprintf("%s %s: %v", r.ID, formatCounter(r.ID, r.Value), r.Reason)
	if !r.First {
		reason += ", last " + formatCounter(r.ID, r.LastAccepted)
	}
	p.liveness.mu.Lock()
	p.liveness.stats.Rejected++
	if r.Reason != guard.PartRejected { // the reason of the tariff says more
		p.liveness.stats.RejectedReason = reason
	}
	p.liveness.mu.Unlock()
	message := rejectedMessage
	if r.Reason == guard.Jump {
		message = jumpMessage
	}
	p.telegramFaults.warn(p.log.With().Str("quantity", r.ID.String()).Str("reason", reason).Logger(), message, r.Reason.String(), nil, 0)
}

const (
	rejectedText    = "counter held back: it cannot have counted that, and a hub would keep the wrong consumption for ever. If it goes on, "
	rejectedMessage = rejectedText + "it is taken for a new meter"
	jumpMessage     = rejectedText + "it is taken for a new meter after a day. If it is one, and that is too long: stop hanbridge, remove its file from " +
		"state_dir, and start it"
)

// formatCounter returns a counter as it is published.
func formatCounter(id quantity.ID, value obis.Decimal) string {
	return string(value.AppendFixed(nil, max(0, int(id.Row().Decimals))))
}

// reset logs and reports a counter that was reset.
func (p *pipeline) reset(r *guard.Reset, now time.Time) {
	e := Event{Time: now, Name: CounterReset, Quantity: r.ID.String(), From: formatCounter(r.ID, r.From), To: formatCounter(r.ID, r.To)}
	p.changed("a counter goes on from another value: it was reset, or the meter is a new one. A hub may take the step for consumption: in "+
		"Home Assistant put it right under Developer tools, Statistics", e)
}

// selectValues puts into p.update the values that the throttle publishes. Counted is true if a counter is among them. Rare is true if one of these
// counters comes only every 15 min or less often.
func (p *pipeline) selectValues(now time.Time) (counted, rare bool) {
	u := &p.update
	u.values, u.repeats, u.expired = u.values[:0], u.repeats[:0], u.expired[:0]
	every := p.interval.learned()
	for _, f := range p.feeds {
		if f.takeAllRequested(p.index) {
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
				rare = rare || p.descriptors.all[v.ID].class() > cadenceClasses[0]
			}
		case throttle.Repeat:
			u.repeats = append(u.repeats, v.ID)
		case throttle.Withhold:
		}
	}
	u.values = p.appendStoredCounters(u.values)
	if now.Sub(p.lastExpiry) >= time.Minute {
		p.lastExpiry = now
		u.expired = p.descriptors.expire(now, p.sendingSince)
		for _, id := range u.expired {
			p.throttle.Forget(id)
		}
	}
	u.descriptors = p.descriptors.takeChanged()
	return counted, rare
}

// appendStoredCounters appends the counters of an earlier run that the first telegram does not have. Later calls append nothing. The broker may
// have lost these counters, and the meter may send them only once an hour.
func (p *pipeline) appendStoredCounters(values []Value) []Value {
	for _, old := range p.storedCounters {
		if !slices.ContainsFunc(p.values, func(v Value) bool { return v.ID == old.ID }) {
			values = append(values, old)
		}
	}
	p.storedCounters = nil
	return values
}

func (p *pipeline) decide(v *Value, now time.Time, every time.Duration) throttle.Decision {
	if p.source.Recorded {
		return throttle.Publish // a recording is published completely
	}
	return p.throttle.Decide(now, every, v.ID, v.Number, v.Decimals, v.Text)
}

// collectWithheld puts into p.update the values that the throttle withheld.
func (p *pipeline) collectWithheld() {
	p.update = update{}
	for id := range quantity.Count() {
		if p.descriptors.all[id].set && p.throttle.Withheld(quantity.ID(id)) {
			p.update.values = append(p.update.values, p.descriptors.all[id].last)
		}
	}
}
