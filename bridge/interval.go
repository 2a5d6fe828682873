package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// interval learns how often a meter speaks: the median of its last gaps, so that neither an outage nor a doubled
// telegram moves it.
type interval struct {
	gaps [9]time.Duration
	n    int
	last time.Time
	// before is the interval of an earlier run, where that was much above usualInterval; 0 else.
	before time.Duration
}

const (
	// usualInterval is expected before anything is known: most meters speak every 10 s or more often.
	usualInterval = 10 * time.Second
	leastInterval = time.Second
	// leastGap is between two telegrams that do not come at once out of the memory of a reader.
	leastGap = 10 * time.Millisecond
	// leastGaps are known before an interval is learned.
	leastGaps = 3
	// silentAfter is how many intervals without a telegram mean that the meter is silent.
	silentAfter = 6
)

func (i *interval) add(at time.Time) {
	if !i.last.IsZero() && at.Sub(i.last) >= leastGap {
		i.gaps[i.n%len(i.gaps)] = at.Sub(i.last)
		i.n++
	}
	i.last = at
}

// learned returns the interval, usualInterval until leastGaps are known.
func (i *interval) learned() time.Duration {
	n := min(i.n, len(i.gaps))
	if n < leastGaps {
		return usualInterval
	}
	sorted := i.gaps
	slices.Sort(sorted[:n])
	return max(sorted[n/2], leastInterval)
}

// patience is how long the meter may be silent before its wire is opened again. Where too few gaps are known, it may speak once an
// hour: then the last one says more than the usual interval.
func (i *interval) patience() time.Duration {
	switch {
	case i.n >= leastGaps:
		return silentAfter * i.learned()
	case i.n > 0 && classOf(i.gaps[i.n-1]) > cadences[0]:
		gap := i.gaps[i.n-1]
		return min(gap+gap/4, probe.LongestInterval)
	case i.n > 0:
		return silentAfter * usualInterval
	}
	return silentAfter * max(usualInterval, i.before)
}
