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

// measure puts into p.values the values of a telegram, without the counters that the guard rejects. It returns the accepted samples.
func (p *pipeline) measure(r *meter.Reading, now time.Time) []quantity.Sample {
	if p.seq == 0 {
		p.checkSameMeter(r, now)
	}
	result := p.guard.Check(&guard.Telegram{Received: now, MeterTime: zoned(r.Time, now), Serial: r.Meter.Serial, Samples: r.Samples})
	for i := range result.Rejected {
		p.reject(&result.Rejected[i])
		// Otherwise appendStoredCounters would publish the stored value of this counter, and the value on the broker is possibly newer.
		p.storedCounters = slices.DeleteFunc(p.storedCounters, func(v Value) bool { return v.ID == result.Rejected[i].ID })
	}
	if result.ReplacedSerial != "" {
		p.dropOldMeter(now)
		p.reportEvent("another meter is connected", Event{Time: now, Name: MeterChanged, From: result.ReplacedSerial, To: r.Meter.Serial})
	}
	for i := range result.Resets {
		p.reportReset(&result.Resets[i], now)
		p.throttle.Forget(result.Resets[i].ID) // the throttle must not withhold this value, because hubs need it together with the event
	}
	p.values = p.values[:0]
	for i := range result.Accepted {
		p.values = append(p.values, p.descriptors.value(&result.Accepted[i], now))
	}
	return result.Accepted
}

// reject counts and logs a rejected value. Values of a counter that are rejected in a row for the same reason count once. The log lines about each
// reason are limited; see faults. Outputs get the reason of the last counted rejection.
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
	if r.Reason != guard.PartRejected { // the tariff was rejected in the same telegram, and its reason says more
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
	rejectedText = "counter value rejected: no meter counts like that, and a hub would keep the wrong consumption for ever. If the counter goes on " +
		"from this value, hanbridge takes the meter for a new one and publishes the value"
	rejectedMessage = rejectedText + " after a few telegrams"
	jumpMessage     = rejectedText + " after a day. If the meter is new, and a day is too long: stop hanbridge, remove hanbridge.* from state_dir, " +
		"and start hanbridge again"
)

// formatCounter returns a counter as it is published.
func formatCounter(id quantity.ID, value obis.Decimal) string {
	return string(value.AppendFixed(nil, max(0, int(id.Row().Decimals))))
}

// reportReset reports the event that a counter was reset.
func (p *pipeline) reportReset(r *guard.Reset, now time.Time) {
	e := Event{Time: now, Name: CounterReset, Quantity: r.ID.String(), From: formatCounter(r.ID, r.From), To: formatCounter(r.ID, r.To)}
	p.reportEvent("a counter goes on from another value: it was reset, or the meter is a new one. A hub may take the step for consumption: in "+
		"Home Assistant put it right under Developer tools, Statistics", e)
}

// selectValues puts into p.update the values that the throttle publishes. Counted is true if a counter is among them. Rare is true if the meter
// sends one of these counters only every 15 min or less often.
func (p *pipeline) selectValues(now time.Time) (counted, rare bool) {
	u := &p.update
	u.values, u.repeats, u.expired = u.values[:0], u.repeats[:0], u.expired[:0]
	telegramInterval := p.interval.learned()
	for _, f := range p.feeds {
		if f.takeAllRequested(p.index) {
			p.throttle = throttle.New(p.plan)
		}
	}
	for i := range p.values {
		v := &p.values[i]
		switch p.decide(v, now, telegramInterval) {
		case throttle.Publish:
			u.values = append(u.values, *v)
			if v.ID.Row().StateClass == quantity.TotalIncreasing {
				counted = true
				rare = rare || p.descriptors.all[v.ID].roundedInterval() > minRoundedInterval
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

// appendStoredCounters appends the counters of an earlier run that the first telegram does not have. Later calls append nothing. These counters
// are needed because a broker can have lost them, and because some meters send them only once an hour.
func (p *pipeline) appendStoredCounters(values []Value) []Value {
	for _, old := range p.storedCounters {
		if !slices.ContainsFunc(p.values, func(v Value) bool { return v.ID == old.ID }) {
			values = append(values, old)
		}
	}
	p.storedCounters = nil
	return values
}

// decide returns what to do with a value of a meter that sends telegrams at this interval.
func (p *pipeline) decide(v *Value, now time.Time, telegramInterval time.Duration) throttle.Decision {
	if p.source.Recorded {
		return throttle.Publish // a recording is published completely
	}
	return p.throttle.Decide(now, telegramInterval, v.ID, v.Number, v.Decimals, v.Text)
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
