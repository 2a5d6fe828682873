// Package guard checks the counters of a meter before they are published. A hub adds up the differences of a counter for ever. If one value
// is wrong, and is zero or far below the last one, the hub takes it for a reset of the counter. Then the hub adds the whole next value:
// thousands of kWh that nobody has used. So a Guard holds back a value that is below the last accepted one, or above what the main fuse
// allows in the elapsed time. If the meter sends such values often enough, the counter must have been reset, and they are accepted.
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
	// MeterTime is the meter's own clock in its true zone; zero if the telegram has none.
	MeterTime obis.Time
	// Serial is the serial number of the meter; "" if the telegram has none. The Guard keeps the string.
	Serial string
	// Samples are in the order of pkg/quantity: a sum comes after its parts. Check changes the slice.
	Samples []quantity.Sample
}

// A Guard checks the counters of one meter. It does not ask for the current time: all times are in the telegrams. It is not safe for
// concurrent use.
type Guard struct {
	clock        clock
	serials      serials
	power        power
	meterStarted bool       // the telegram shows that the meter has started, so a zero in the telegram can be a true value
	registers    []register // by quantity ID
	lastReset    int64      // when the main counter was last found to be reset, in ms of clock; never if it was not
	result       Result
}

// New returns a Guard without history. Fuse is the main fuse in A per phase; 0 if it is unknown.
func New(fuse int) *Guard {
	n := quantity.Count()
	r := Result{Rejected: make([]Rejection, 0, n), Resets: make([]Reset, 0, n)}
	return &Guard{power: power{fuse: fuse}, registers: make([]register, n), lastReset: never, result: r}
}

// never is a time before everything that matters. It is half the minimum so that differences do not overflow.
const never = math.MinInt64 / 2

// Check decides which samples of a telegram are accepted. A sample that is not a counter is always accepted. The Result is valid until the
// next call; its Accepted is t.Samples, filtered in place.
func (g *Guard) Check(t *Telegram) Result {
	g.clock.advance(t.Received, t.MeterTime)
	result := &g.result
	*result = Result{Rejected: result.Rejected[:0], Resets: result.Resets[:0]}
	if oldSerial, replaced := g.serials.update(t.Serial); replaced {
		result.ReplacedSerial = oldSerial
		for i := range g.registers { // the next value of every counter is accepted
			g.registers[i].meterReplaced = g.registers[i].known
		}
	}
	g.inspect(t.Samples)
	result.Accepted = slices.DeleteFunc(t.Samples, func(s quantity.Sample) bool { return isCounter(s.ID) && !g.accept(&s) })
	return *result
}

// Serial returns the serial number of the meter whose counters the Guard checks; "" if no telegram had one.
func (g *Guard) Serial() string { return g.serials.current }

// accept reports whether a counter's value is accepted. It updates the register, and adds a rejection or a reset to the result.
func (g *Guard) accept(s *quantity.Sample) bool {
	r := &g.registers[s.ID]
	reason, confirmed := g.examine(r, s)
	if s.Derived && g.partRejected(s.ID) {
		reason, confirmed = PartRejected, false
	}
	switch {
	case reason == 0: // the value can follow the last accepted one
	case !confirmed:
		g.result.Rejected = append(g.result.Rejected, Rejection{
			ID: s.ID, Value: s.Value, LastAccepted: r.accepted.value, First: !r.known, Reason: reason, Repeated: r.rejectedFor == reason,
		})
		r.rejectedFor = reason
		return false
	case r.known:
		g.result.Resets = append(g.result.Resets, Reset{ID: s.ID, From: r.accepted.value, To: s.Value})
		if reason != Jump && g.isMain(s.ID) {
			g.lastReset = g.clock.now
		}
	}
	r.accept(s.Value, g.clock.now)
	return true
}

// examine returns why a value cannot follow the last accepted one; 0 if it can. If it cannot, confirmed reports whether the value is
// accepted all the same because the counter was reset.
func (g *Guard) examine(r *register, s *quantity.Sample) (reason Reason, confirmed bool) {
	now, v, limit := g.clock.now, s.Value, limitOf(s, g.power.watts())
	switch {
	case v.Sign() < 0: // no counter is below zero, and Home Assistant's statistics stop at a negative value
		r.pending.count = 0
		return Backward, false
	case r.known && r.accepted.canBecome(v, now, &limit), !r.known && (v.Sign() > 0 || g.meterStarted && !limit.slow()):
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

// isMain reports whether this is a main counter: if a main counter is reset, the meter's other counters are reset too. The main counter is
// import_energy. If the meter does not send import_energy, export_energy and absolute_energy are main counters.
func (g *Guard) isMain(id quantity.ID) bool {
	return id == quantity.ImportEnergy || !g.registers[quantity.ImportEnergy].known && (id == quantity.ExportEnergy || id == quantity.AbsoluteEnergy)
}

// resetWindow is the longest time from the reset of the main counter to the first value of another counter that was reset with it, in ms.
// Some counters are sent only once an hour.
const resetWindow = int64(70 * time.Minute / time.Millisecond)

// resetWithMain reports whether v is below the last accepted value because the meter was reset: the main counter was found to be reset
// within resetWindow.
func (g *Guard) resetWithMain(r *register, v obis.Decimal) bool {
	return r.known && v.Cmp(r.accepted.value) < 0 && r.accepted.last < g.lastReset && g.clock.now-g.lastReset <= resetWindow
}

// serials follows the serial numbers in telegrams, to find out that the meter was replaced.
type serials struct {
	current  string
	other    string // the number in the last telegrams, if it is not current
	count    int    // how many telegrams in a row had other; telegrams without a number are not counted
	previous string // the number before current
}

const (
	// minSerialCount is how many telegrams in a row must have a different number before the meter counts as replaced.
	minSerialCount = 2
	// minReturnCount is how many telegrams in a row must have the previous number before the meter counts as replaced again. It is high
	// because the telegrams of two meters can alternate.
	minReturnCount = 100
)

// update adds the serial number of a telegram. It reports whether the meter was replaced, and returns the number of the old meter.
func (s *serials) update(serial string) (oldSerial string, replaced bool) {
	switch {
	case serial == "":
		return "", false
	case s.current == "":
		s.current = serial
	case serial == s.current:
		s.other, s.count = "", 0
	case serial != s.other:
		s.other, s.count = serial, 1
	default:
		s.count++
	}
	if s.count < minSerialCount || s.other == s.previous && s.count < minReturnCount {
		return "", false
	}
	*s = serials{current: serial, previous: s.current}
	return s.previous, true
}
