package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/internal/guard"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A chain turns the readings of one meter into telegrams. Each step is a type in a file of its own, which receives what it needs as arguments, and
// returns what it made. No step has access to another step. A chain knows no output and writes no log. It is not safe for concurrent use.
type chain struct {
	meter    string // the id of the meter
	recorded bool   // the telegrams come from a recording
	seq      uint64 // of the last telegram

	verify   verifier     // is the telegram to be believed?
	identify identifier   // which meter has sent it?
	guard    counterGuard // which counters cannot be right?
	derive   deriver      // what follows from it, and from the telegrams before it?
}

// A result is what the chain made of one reading.
type result struct {
	telegram   *Telegram
	identified identified
	guarded    guarded
	derived    derived
}

// process passes a reading through the steps, in this order. The result is ok if the telegram is verified. Its guarded part is valid until
// the next call. The reading is possibly overwritten after the call, so process copies what it keeps.
func (c *chain) process(r *meter.Reading, received time.Time) (res result, ok bool) {
	meterTime, ok := c.verify.check(r, received)
	if !ok {
		return result{}, false
	}
	res.identified = c.identify.check(r, received)
	res.guarded = c.guard.check(guard.Telegram{Received: received, MeterTime: meterTime, Samples: r.Samples}, res.identified.change)
	res.derived = c.derive.derive(res.guarded.Accepted, received, res.identified.change != sameMeter)
	c.seq++
	res.telegram = &Telegram{Meter: c.meter, Seq: c.seq, Received: received, MeterTime: meterTime, Recorded: c.recorded, Values: res.derived.values}
	return res, true
}

// snapshot writes the history of the counters to s.
func (c *chain) snapshot(s *guard.Snapshot) {
	s.Serial = c.identify.serials.Current()
	c.guard.guard.Snapshot(s)
}

// events returns what happened to the meter with this telegram, in the order in which users should learn it.
func (r *result) events() []Event {
	events := r.identified.events
	for i := range r.guarded.Resets {
		events = append(events, resetEvent(&r.guarded.Resets[i], r.telegram.Received))
	}
	return events
}

// forgotten returns the quantities whose published values are no longer valid. These are the quantities that the meter no longer sends, and the
// counters that were reset. A hub needs the new value of a counter together with the event.
func (r *result) forgotten() []quantity.ID {
	forgotten := r.derived.expired
	for i := range r.guarded.Resets {
		forgotten = append(forgotten, r.guarded.Resets[i].ID)
	}
	return forgotten
}
