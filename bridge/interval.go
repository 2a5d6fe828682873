package bridge

import (
	"slices"
	"time"
)

// interval learns how often a meter speaks: the median of its last gaps, so that neither an outage nor a doubled
// telegram moves it.
type interval struct {
	gaps [9]time.Duration
	n    int
	last time.Time
}

const (
	// usualInterval is expected before anything is known: most meters speak every 10 s or more often.
	usualInterval = 10 * time.Second
	leastInterval = time.Second
	// leastGaps are known before an interval is learned.
	leastGaps = 3
	// silentAfter is how many intervals without a telegram mean that the meter is silent.
	silentAfter = 6
)

func (i *interval) add(at time.Time) {
	if !i.last.IsZero() {
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
