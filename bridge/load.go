package bridge

import (
	"time"

	"github.com/hanbridge/hanbridge/bridge/estimate"
)

// allLists is by when a meter that sends its power every 2 s has sent the list of all the rest as well, which comes every 10 s.
const allLists = 15 * time.Second

// sayLoad tells, once it is known what the meter sends and how often, how many states a day that will most likely cause in a hub.
func (p *pipeline) sayLoad(now time.Time) {
	if p.loadTold || p.source.Recorded || p.every.n < leastGaps || now.Sub(p.since) < allLists {
		return
	}
	p.loadTold = true
	var sent []estimate.Sent
	for _, k := range p.known.list {
		every := k.Every
		if every == cadences[0] {
			every = 0 // in each telegram
		}
		sent = append(sent, estimate.Sent{ID: k.ID, Decimals: k.Decimals, Every: every})
	}
	var states, all int
	for _, l := range estimate.Day(p.plan, sent, p.every.learned()) {
		states += l.States
		all += l.EveryTelegram
	}
	states += 2 * int(24*time.Hour/p.plan.Diagnostics()) // the count of telegrams, and when the last came
	p.log.Info().Stringer("publish", p.plan.Preset()).Int("states_a_day", rounded(states)).Int("every_telegram", rounded(all)).
		Msg("publishes about so many values a day; hanbridge rates shows which")
}

// rounded keeps two figures.
func rounded(n int) int {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}
