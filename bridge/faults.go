package bridge

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
)

// faults keeps a log readable: a fault is one line, and while the same goes on a count once in ten minutes.
type faults struct{ ratelimit.Limiter }

const toldAgain = ratelimit.Every

// warn writes the line if it is due, and tells if it was. Two faults of the same kind are the same.
func (f *faults) warn(log zerolog.Logger, message, kind string, err error, wait time.Duration) bool {
	count, ok := f.Allow(ratelimit.Kind(kind))
	if !ok {
		return false
	}
	event := ratelimit.Counted(log.Warn().Err(err), count)
	if wait > 0 {
		event = event.Dur("wait", roundedWait(wait))
	}
	event.Msg(message)
	return true
}

// roundedWait keeps what says something to a person: tenths of a second up to ten seconds, whole seconds above.
func roundedWait(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// over ends a fault: the next one of its kind is told at once, a few times within ten minutes; then it is counted.
func (f *faults) over() { f.Over() }
