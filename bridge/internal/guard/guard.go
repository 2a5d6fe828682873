// Package guard keeps counters safe for those who add up what they rise by, for ever. A hub takes one zero, or one step far back, for a
// counter that began again, and adds the whole next value: thousands of kWh that nobody has used. So a value that goes back, or rises
// more than the fuse and the elapsed time can explain, is held back until there is no other way to read it.
package guard

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A Telegram is what a Guard looks at.
type Telegram struct {
	// Received is when it came, by the clock of this machine.
	Received time.Time
	// Meter is the meter's own clock, its zone corrected; zero where the telegram has none.
	Meter obis.Time
	// Serial is the number of the meter, "" where the telegram has none. It is kept.
	Serial string
	// Samples are in the order of pkg/quantity: sums behind what they add up. Judge changes the slice.
	Samples []quantity.Sample
}

// A Guard judges the counters of one meter. It knows no time but that of the telegrams. It is not safe for concurrent use.
type Guard struct {
	clock     clock
	serial    serials
	power     power
	counting  bool       // this telegram shows that the meter has started: a zero in it may be right
	registers []register // by ID
	turned    int64      // when the main counter was last believed to have begun again
	judgement Judgement
}

// New returns a Guard that remembers nothing. Fuse is the main fuse in A per phase, 0 where it is not known.
func New(fuse int) *Guard {
	n := quantity.Count()
	j := Judgement{Held: make([]Held, 0, n), Resets: make([]Reset, 0, n)}
	return &Guard{power: power{fuse: fuse}, registers: make([]register, n), turned: never, judgement: j}
}

// never is so long ago that it is over.
const never = math.MinInt64 / 2

// Judge says which samples of a telegram may be believed. Those that are no counters always are. The Judgement is valid until the next
// call; its Good are t.Samples, filtered in place.
func (g *Guard) Judge(t *Telegram) Judgement {
	g.clock.advance(t.Received, t.Meter)
	j := &g.judgement
	*j = Judgement{Held: j.Held[:0], Resets: j.Resets[:0]}
	if from, changed := g.serial.changed(t.Serial); changed {
		j.Replaced = from
		for i := range g.registers { // every counter goes on from what it reads next
			g.registers[i].open = g.registers[i].known
		}
	}
	g.look(t.Samples)
	j.Good = slices.DeleteFunc(t.Samples, func(s quantity.Sample) bool { return isCounter(s.ID) && !g.believes(&s) })
	return *j
}

// Serial returns the number of the meter whose counters these are, "" where no telegram has told it.
func (g *Guard) Serial() string { return g.serial.now }

// believes tells if a counter may be believed, and notes what follows from that.
func (g *Guard) believes(s *quantity.Sample) bool {
	r := &g.registers[s.ID]
	why, settled := g.judge(r, s)
	if s.Derived && g.partHeld(s.ID) {
		why, settled = Derived, false
	}
	switch {
	case why == 0:
	case !settled:
		g.judgement.Held = append(g.judgement.Held, Held{ID: s.ID, Value: s.Value, Last: r.good.value, First: !r.known, Reason: why, Again: r.held == why})
		r.held = why
		return false
	case r.known:
		g.judgement.Resets = append(g.judgement.Resets, Reset{ID: s.ID, From: r.good.value, To: s.Value})
		if why != Jump && g.main(s.ID) {
			g.turned = g.clock.now
		}
	}
	r.take(s.Value, g.clock.now)
	return true
}

// judge returns why a value does not go on from the last good one, 0 where it does, and whether it is to be believed all the same.
func (g *Guard) judge(r *register, s *quantity.Sample) (why Reason, settled bool) {
	now, v, limit := g.clock.now, s.Value, limitOf(s, g.power.watts())
	switch {
	case v.Sign() < 0: // no counter is below zero, and Home Assistant's statistics stop at one that is
		r.run.times = 0
		return Backward, false
	case r.known && r.good.leadsTo(v, now, &limit), !r.known && (v.Sign() > 0 || g.counting && !limit.slow()):
		return 0, false
	}
	why = Jump
	switch {
	case v.Sign() == 0:
		why = Zero
	case v.Cmp(r.good.value) < 0:
		why = Backward
	}
	r.run.add(v, now, why == Jump, &limit)
	return why, r.open || g.follows(r, v) || r.run.settled(now, &limit)
}

// partHeld tells if a tariff of this sum was held back in this telegram.
func (g *Guard) partHeld(sum quantity.ID) bool {
	return slices.ContainsFunc(g.judgement.Held, func(h Held) bool { return strings.HasPrefix(h.ID.String(), sum.String()+"_t") })
}

// main tells if this is the counter that speaks for the others: what was imported or, where a meter does not count that, any other total.
func (g *Guard) main(id quantity.ID) bool {
	return id == importEnergy || !g.registers[importEnergy].known && (id == exportEnergy || id == absoluteEnergy)
}

// afterTurn is how long the other counters of a meter that began again may take: some are sent once an hour.
const afterTurn = int64(70 * time.Minute / time.Millisecond)

// follows tells if a decrease is that of a meter that has begun again already.
func (g *Guard) follows(r *register, v obis.Decimal) bool {
	return r.known && v.Cmp(r.good.value) < 0 && r.good.last < g.turned && g.clock.now-g.turned <= afterTurn
}

// serials tell which meter it is, as far as telegrams say.
type serials struct {
	now   string
	other string // another number, and how many telegrams in a row have named it, of those that name one
	times int
	left  string // the meter before this one
}

const (
	// enoughNames is how many telegrams in a row make another number another meter.
	enoughNames = 2
	// enoughBack is how many it takes to go back to the meter that was left: those of two meters may come by turns.
	enoughBack = 100
)

// changed tells if a telegram shows that the meter was replaced, and which one it was.
func (s *serials) changed(serial string) (from string, changed bool) {
	switch {
	case serial == "":
		return "", false
	case s.now == "":
		s.now = serial
	case serial == s.now:
		s.other, s.times = "", 0
	case serial != s.other:
		s.other, s.times = serial, 1
	default:
		s.times++
	}
	if s.times < enoughNames || s.other == s.left && s.times < enoughBack {
		return "", false
	}
	*s = serials{now: serial, left: s.now}
	return s.left, true
}
