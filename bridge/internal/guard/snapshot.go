package guard

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Snapshot is the history that a Guard needs to continue after a restart. It is stored as JSON. The names in the JSON must not change,
// because later versions read them.
type Snapshot struct {
	// Serial is the serial number of the meter. The caller sets and reads it; the Guard does not use it.
	Serial string `json:"serial,omitempty"`
	// MaxPower is the highest power that two telegrams in a row have reached, in W.
	MaxPower int64 `json:"power,omitempty"`
	// Received is when the last telegram arrived, Unix time in ms.
	Received int64 `json:"wall"`
	// MeterTime is the last time that the meter has sent, Unix time in s; 0 if the meter has sent none.
	MeterTime int64 `json:"meter,omitempty"`
	// SinceReset is the time from the last reset of the meter to the last telegram, in ms; 0 if there was no reset.
	SinceReset int64     `json:"turned,omitempty"`
	Counters   []Counter `json:"counters"`
}

// A Counter is the last accepted value of a quantity.
type Counter struct {
	Quantity string       `json:"quantity"` // the name of the quantity
	Value    obis.Decimal `json:"value"`
	// Since is when Value was first sent, in ms before the last telegram.
	Since int64 `json:"since"`
	// Seen is when Value was last sent, in ms before the last telegram.
	Seen int64 `json:"seen"`
	// MeterReplaced is true if the meter was replaced after Value was accepted. If so, the next value is accepted.
	MeterReplaced bool `json:"open,omitempty"`
	// Pending has the values that were rejected after Value because they jumped. It is the zero value if there are none. Jumps are accepted
	// after a day. Without Pending, a program that is restarted every night would never accept a jump.
	Pending Pending `json:"above,omitzero"`
}

// A Pending is a row of rejected values of a counter. Each value can follow from the previous value. Times are in ms before the last
// telegram.
type Pending struct {
	Value obis.Decimal `json:"value"` // the last value
	Began int64        `json:"began"` // when the first value of the row was sent
	Since int64        `json:"since"` // when Value was first sent
	Seen  int64        `json:"seen"`  // when Value was last sent
	Count int          `json:"times"` // the number of telegrams in the row
}

// Snapshot writes the Guard's history to m, and reuses the memory of m.Counters. It does not change m.Serial. Before the first telegram there are no counters.
func (g *Guard) Snapshot(m *Snapshot) {
	c := &g.clock
	*m = Snapshot{
		Serial: m.Serial, MaxPower: g.power.peak, Received: c.received.UnixMilli(), MeterTime: c.meterTime, Counters: m.Counters[:0],
	}
	now := c.now
	if g.lastReset != never {
		m.SinceReset = max(now-g.lastReset, 1)
	}
	for i := range g.registers {
		r := &g.registers[i]
		if !r.known {
			continue
		}
		v := r.accepted
		counter := Counter{Quantity: r.id.String(), Value: v.value, Since: now - v.first, Seen: now - v.last, MeterReplaced: r.meterReplaced}
		if p := &r.pending; p.isAbove && p.count > 0 { // a series of lower values is not stored because it is accepted within seconds
			counter.Pending = Pending{p.value, now - p.began, now - p.first, now - p.last, p.count}
		}
		m.Counters = append(m.Counters, counter)
	}
}

// Restore continues from a snapshot. Call it before the first telegram. It skips impossible values. The Guard does not keep m.
func (g *Guard) Restore(m *Snapshot) {
	if len(m.Counters) == 0 {
		return
	}
	// The time now of the new clock is 0, so all earlier times are negative.
	g.clock = clock{received: time.UnixMilli(m.Received), meterTime: m.MeterTime, maxMeterTime: m.MeterTime}
	g.power.peak = min(max(m.MaxPower, 0), maxWatts)
	if m.SinceReset > 0 {
		g.lastReset = -m.SinceReset
	}
	for i := range m.Counters {
		c := &m.Counters[i]
		id, ok := quantity.ByName(c.Quantity)
		if !ok || !isCounter(id) || c.Value.Sign() < 0 {
			continue
		}
		r := register{id: id, known: true, accepted: timedValue{c.Value, -clampAge(c.Since), -clampAge(c.Seen)}, meterReplaced: c.MeterReplaced}
		if p := &c.Pending; p.Count > 0 && p.Value.Sign() >= 0 {
			last := timedValue{p.Value, -clampAge(p.Since), -clampAge(p.Seen)}
			r.pending = series{timedValue: last, count: p.Count, began: -clampAge(p.Began), isAbove: true}
		}
		*g.register(id) = r
	}
}

// clampAge returns a stored age within 0 and maxElapsed, in ms.
func clampAge(ms int64) int64 { return min(max(ms, 0), maxElapsed) }
