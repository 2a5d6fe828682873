package discovery

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// minExpiry is three times the five minutes after which the bridge publishes an unchanged value again.
const minExpiry = 15 * time.Minute

// roundedIntervals are the intervals to which measured ones are rounded up, so that an announcement does not change with every telegram.
var roundedIntervals = [...]time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

// expireAfter returns after how many seconds without a message a hub must show a value as unavailable, 0 for never. Usually the status
// topics say that a meter or a bridge is offline. The expiry is for a bridge and a broker that failed together: the broker then starts
// again with a retained "online" and old values.
//
// Only measurements expire. A counter keeps its value, and a gap in it would show in the energy statistics. A text or a limit is valid
// until another is sent. Diagnostics are needed most when nothing comes.
func expireAfter(row *quantity.Row, every time.Duration) int {
	if row.StateClass != quantity.Measurement || row.Diagnostic {
		return 0
	}
	cadence := roundedIntervals[len(roundedIntervals)-1]
	for _, c := range roundedIntervals {
		if every <= c {
			cadence = c
			break
		}
	}
	return int(max(3*cadence, minExpiry) / time.Second)
}

// intervalOf returns the interval for which expireAfter gives expire, 0 if that is the shortest.
func intervalOf(expire int) time.Duration {
	if after := time.Duration(expire) * time.Second; after > minExpiry {
		return after / 3
	}
	return 0
}
