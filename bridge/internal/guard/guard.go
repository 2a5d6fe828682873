// Package guard checks the counters of a meter before they are published. A smart-home hub adds up the rises of a counter. If a wrong value
// is zero or far below the last value, the hub concludes that the counter was reset. Then the hub adds all of the next value: thousands
// of kWh that nobody has used. So a Guard rejects a value that is below the last accepted value, or above what the main fuse allows in the
// elapsed time. If the meter sends such values often enough, the Guard concludes that the counter was reset, and accepts them.
package guard

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Telegram holds the parts of a telegram that a Guard needs.
type Telegram struct {
	// Received is the time of arrival by the clock of this machine.
	Received time.Time
	// MeterTime is the time by the clock of the meter; zero if the telegram has no time.
	MeterTime obis.Time
	// MeterReplaced is true if the telegram shows that the meter was replaced. Then each counter continues from its next value.
	MeterReplaced bool
	// Samples are in the order of pkg/quantity: a sum comes after its parts. Check removes the rejected samples from the slice.
	Samples []quantity.Sample
}

// A Guard checks the counters of one meter. It takes all times from the telegrams. A Guard is not safe for concurrent use.
type Guard struct {
	clock        clock
	power        power
	meterStarted bool       // the last telegram shows that the meter has started (see inspect), so a zero can be a true value
	registers    []register // of the counters that the meter has sent, sorted by quantity ID
	lastReset    int64      // when the last reset of the main counter was found, in ms of clock; never if there was none
	result       Result
}

// New returns a Guard without history. Fuse is the main fuse in A per phase; 0 if it is unknown.
func New(fuse int) *Guard {
	return &Guard{power: power{fuse: fuse}, lastReset: never}
}

// never is a time long before every telegram. It is half the minimum so that differences do not overflow.
const never = math.MinInt64 / 2

// Check decides which samples of a telegram are accepted. A sample that is not a counter is always accepted. The Result is valid until the
// next call; its Accepted is t.Samples, filtered in place.
func (g *Guard) Check(t *Telegram) Result {
	g.clock.advance(t.Received, t.MeterTime)
	result := &g.result
	*result = Result{Rejected: result.Rejected[:0], Resets: result.Resets[:0]}
	if t.MeterReplaced {
		for i := range g.registers {
			g.registers[i].meterReplaced = g.registers[i].known
		}
	}
	g.inspect(t.Samples)
	result.Accepted = slices.DeleteFunc(t.Samples, func(s quantity.Sample) bool { return isCounter(s.ID) && !g.accept(&s) })
	return *result
}

// accept reports whether the value of a counter is accepted. It updates the register, and adds a rejection or a reset to the result.
func (g *Guard) accept(s *quantity.Sample) bool {
	r := g.register(s.ID)
	reason, confirmed := g.examine(r, s)
	if s.Derived && g.partRejected(s.ID) {
		reason, confirmed = PartRejected, false
	}
	switch {
	case reason == 0: // the value can follow the last accepted value, or is a plausible first value
	case !confirmed:
		g.result.Rejected = append(g.result.Rejected, Rejection{
			ID: s.ID, Value: s.Value, LastAccepted: r.accepted.value, First: !r.known, Reason: reason, Repeated: r.rejectedFor == reason,
		})
		r.rejectedFor = reason
		return false
	case r.known: // the counter was reset; an accepted first zero is no reset, because there is no earlier value
		g.result.Resets = append(g.result.Resets, Reset{ID: s.ID, From: r.accepted.value, To: s.Value})
		if reason != Jump && g.isMain(s.ID) {
			g.lastReset = g.clock.now
		}
	}
	r.accept(s.Value, g.clock.now)
	return true
}

// examine returns why a value cannot follow the last accepted value. The reason is 0 if it can, or if it is a plausible first value. Otherwise
// confirmed reports whether the value is accepted anyway, because the counter was reset, or because a first zero was repeated long enough.
func (g *Guard) examine(r *register, s *quantity.Sample) (reason Reason, confirmed bool) {
	now, v, limit := g.clock.now, s.Value, limitOf(s, g.power.watts())
	switch {
	case v.Sign() < 0: // no counter is below zero, and Home Assistant's statistics stop at a negative value
		r.pending.count = 0
		return Backward, false
	case r.known && r.accepted.canBecome(v, now, &limit):
		return 0, false
	case !r.known && (v.Sign() > 0 || (g.meterStarted && !limit.slow())): // a first zero of a sub-meter is possibly wrong, see limit.slow
		return 0, false
	}
	reason = Jump
	switch {
	case v.Sign() == 0:
		reason = Zero
	case v.Cmp(r.accepted.value) < 0:
		reason = Backward
	}
	r.pending.add(v, now, reason == Jump, &limit)
	return reason, r.meterReplaced || g.resetWithMain(r, v) || r.pending.confirmed(now, &limit)
}

// partRejected reports whether a tariff of this sum was rejected in this telegram.
func (g *Guard) partRejected(sum quantity.ID) bool {
	return slices.ContainsFunc(g.result.Rejected, func(r Rejection) bool { return strings.HasPrefix(r.ID.String(), sum.String()+"_t") })
}

// isMain reports whether this is a main counter. When a main counter was reset, the other counters of the meter can be reset too. The main
// counter is import_energy. If the meter does not send import_energy, export_energy and absolute_energy are main counters.
func (g *Guard) isMain(id quantity.ID) bool {
	if id != quantity.ExportEnergy && id != quantity.AbsoluteEnergy {
		return id == quantity.ImportEnergy
	}
	i, found := g.find(quantity.ImportEnergy)
	return !found || !g.registers[i].known
}

// resetWindow is how long after a reset of the main counter the other counters can be reset too, in ms. It is more than an hour because
// some counters are sent only once an hour.
const resetWindow = int64(70 * time.Minute / time.Millisecond)

// resetWithMain reports whether v is below the last accepted value because the meter was reset. This is so if the main counter was reset
// within resetWindow and this counter has had no accepted value since.
func (g *Guard) resetWithMain(r *register, v obis.Decimal) bool {
	return r.known && v.Cmp(r.accepted.value) < 0 && r.accepted.last < g.lastReset && g.clock.now-g.lastReset <= resetWindow
}
