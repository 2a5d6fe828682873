package bridge

import (
	"slices"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
)

// interval learns how often a meter sends telegrams. It uses the median of the last gaps, so that one outage or one repeated telegram does not
// change the result.
type interval struct {
	gaps  [9]time.Duration
	count int
	last  time.Time
	// fromEarlierRun is the interval in an earlier run, if it was longer than a minute; otherwise 0.
	fromEarlierRun time.Duration
}

const (
	// usualInterval is used until the interval is known. Most meters send every 10 s or more often.
	usualInterval = 10 * time.Second
	minInterval   = time.Second
	// minGap is the shortest gap that counts. Shorter gaps occur if a reader stores telegrams and sends several at once.
	minGap = 10 * time.Millisecond
	// minGapCount is how many gaps are needed to learn the interval.
	minGapCount = 3
	// silentIntervals is after how many intervals without a telegram a meter is offline.
	silentIntervals = 6
)

// restore takes the interval from the quantities of an earlier run, if it is longer than a minute.
func (i *interval) restore(descriptors []Descriptor) {
	shortest := probe.LongestInterval
	for _, d := range descriptors {
		shortest = min(shortest, d.Every)
	}
	if len(descriptors) > 0 && shortest > minRoundedInterval {
		i.fromEarlierRun = shortest
	}
}

// add adds the time of a telegram.
func (i *interval) add(at time.Time) {
	if !i.last.IsZero() && at.Sub(i.last) >= minGap {
		i.gaps[i.count%len(i.gaps)] = at.Sub(i.last)
		i.count++
	}
	i.last = at
}

// learned returns the interval; usualInterval until it is known.
func (i *interval) learned() time.Duration {
	n := min(i.count, len(i.gaps))
	if n < minGapCount {
		return usualInterval
	}
	sorted := i.gaps
	slices.Sort(sorted[:n])
	return max(sorted[n/2], minInterval)
}

// maxSilence returns after how long without a telegram the port of the meter is opened again. If few gaps are known and the last gap was long, the
// meter possibly sends once an hour. In that case the result is the last gap and a quarter of it.
func (i *interval) maxSilence() time.Duration {
	switch {
	case i.count >= minGapCount:
		return silentIntervals * i.learned()
	case i.count > 0 && roundInterval(i.gaps[i.count-1]) > minRoundedInterval:
		gap := i.gaps[i.count-1]
		return min(gap+gap/4, probe.LongestInterval)
	case i.count > 0:
		return silentIntervals * usualInterval
	}
	return silentIntervals * max(usualInterval, i.fromEarlierRun)
}
