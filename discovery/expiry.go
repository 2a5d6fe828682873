package discovery

import (
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// leastExpiry leaves room for the bridge's repeats: a value that stays the same is published again every five minutes.
const leastExpiry = 15 * time.Minute

// cadences are how often meters send. An interval is rounded up to one of them: it is measured, and the announcement of a
// quantity must not change with every telegram.
var cadences = [...]time.Duration{time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour}

// expireAfter returns after how many seconds without a message a hub must not believe a value any longer, 0 for one that
// stays true. A silent meter and a bridge that ends are said to be offline. This is for the case that nobody says so: bridge
// and broker died together, and the broker came back with a retained "online" and old values.
//
// Measurements alone expire. A counter still stands where it stood, and a gap in it would show in the statistics of energy; a
// text or a limit is what it was until another is told; diagnostics are of most use when nothing comes.
func expireAfter(row *quantity.Row, every time.Duration) int {
	if row.StateClass != quantity.Measurement || row.Diagnostic {
		return 0
	}
	cadence := cadences[len(cadences)-1]
	for _, c := range cadences {
		if every <= c {
			cadence = c
			break
		}
	}
	return int(max(3*cadence, leastExpiry) / time.Second)
}

// everyOf is the reverse of expireAfter.
func everyOf(expire int) time.Duration {
	if after := time.Duration(expire) * time.Second; after > leastExpiry {
		return after / 3
	}
	return 0
}
