package discovery

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// minExpiry is the shortest expiry. It is three times as long as the time after which the bridge publishes an unchanged value again.
const minExpiry = 15 * time.Minute

// roundedIntervals are the intervals to which measured intervals are rounded up, so that an announcement does not change with every telegram.
var roundedIntervals = [...]time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

// expireAfter returns after how many seconds without a message a hub must show a value as unavailable; 0 means never. Usually the status topics
// say that a meter or a bridge is offline. But if the bridge and the broker fail together, the broker starts again with a retained "online" and
// old values. After the expiry, the hub shows these old values as unavailable.
//
// Only measurements expire. A counter does not expire, because its value stays valid, and an expired counter would leave a gap in the energy
// statistics. A text or a limit does not expire, because it is valid until the meter sends another value. A diagnostic does not expire, because
// users need it most when no telegram arrives.
func expireAfter(row *quantity.Row, interval time.Duration) int {
	if row.StateClass != quantity.Measurement || row.Diagnostic {
		return 0
	}
	rounded := roundedIntervals[len(roundedIntervals)-1]
	for _, r := range roundedIntervals {
		if interval <= r {
			rounded = r
			break
		}
	}
	return int(max(3*rounded, minExpiry) / time.Second)
}

// intervalOf returns an interval for which expireAfter returns expire, which is in seconds. It returns 0 if expire is minExpiry or less.
func intervalOf(expire int) time.Duration {
	if expiry := time.Duration(expire) * time.Second; expiry > minExpiry {
		return expiry / 3
	}
	return 0
}
