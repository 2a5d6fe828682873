package bridge

import (
	"time"

	"github.com/rs/zerolog"
)

// faults keeps a log readable: a fault is one line, and while the same goes on a count once in ten minutes.
type faults struct {
	last  string
	count int
	told  time.Time
}

const toldAgain = 10 * time.Minute

// warn writes the line if it is due, and tells if it was. Two faults of the same kind are the same.
func (f *faults) warn(log zerolog.Logger, message, kind string, err error, wait time.Duration) bool {
	if kind != f.last || f.told.IsZero() {
		*f = faults{last: kind}
	}
	f.count++
	if time.Since(f.told) < toldAgain {
		return false
	}
	event := log.Warn().Err(err)
	if f.count > 1 {
		event = event.Int("count", f.count)
	}
	if wait > 0 {
		event = event.Dur("wait", wait)
	}
	event.Msg(message)
	f.told, f.count = time.Now(), 0
	return true
}

// over ends a fault: the next one is told at once.
func (f *faults) over() { *f = faults{} }
