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

// warn writes the line if it is due. err is the fault; two with the same text are the same.
func (f *faults) warn(log zerolog.Logger, message string, err error, wait time.Duration) {
	text := message + err.Error()
	f.count++
	if text == f.last && time.Since(f.told) < toldAgain {
		return
	}
	if text != f.last {
		f.count = 1
	}
	event := log.Warn().Err(err)
	if f.count > 1 {
		event = event.Int("count", f.count)
	}
	if wait > 0 {
		event = event.Dur("wait", wait)
	}
	event.Msg(message)
	f.last, f.told, f.count = text, time.Now(), 0
}

// over ends a fault: the next one is told at once.
func (f *faults) over() { *f = faults{} }
