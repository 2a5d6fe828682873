package bridge

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/internal/ratelimit"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// faults keeps a log readable: a fault is one line, and while the same goes on a count once in ten minutes. Behind Over the next of its
// kind is told at once, a few times within ten minutes; then it is counted.
type faults struct{ ratelimit.Limiter }

// warn writes the line if it is due, and tells if it was. Two faults of the same kind are the same.
func (f *faults) warn(log zerolog.Logger, message, kind string, err error, wait time.Duration) bool {
	count, ok := f.Allow(ratelimit.Normalize(kind))
	if !ok {
		return false
	}
	event := ratelimit.WithCount(log.Warn().Err(err), count)
	switch { // nobody reads more digits
	case wait > 10*time.Second:
		event = event.Dur("wait", wait.Round(time.Second))
	case wait > 0:
		event = event.Dur("wait", wait.Round(100*time.Millisecond))
	}
	event.Msg(message)
	return true
}

// Damaged counts a telegram that gave no reading, and says in the log why.
func (p *pipeline) Damaged(e *meter.TelegramError) (enough bool) {
	p.countDamaged(e.Intact)
	locked, ok := errors.AsType[*dlms.EncryptedError](e)
	switch {
	case ok:
		message := p.meter.lockedMessage(locked)
		p.wire.warn(p.log, message, message, nil, 0)
	case errors.Is(e, meter.ErrRepeated):
		p.dropped.warn(p.log, "telegram with an old frame counter dropped, as frame_counter: rising says", "old", e, 0)
	case e.Intact:
		p.dropped.warn(p.log, "telegram came sound, but meters of this kind are not read yet", "unknown", e, 0)
	default:
		p.dropped.warn(p.log, "damaged telegram dropped", "damaged", e, 0)
	}
	if e.Intact && p.liveness.attempt.Proved {
		p.proved()
	}
	return false
}

// lockedMessage says what opens an encrypted telegram, and who has it.
func (m Meter) lockedMessage(e *dlms.EncryptedError) string {
	setting, authSetting := cmp.Or(m.KeySetting, "its key"), cmp.Or(m.AuthKeySetting, "it")
	sender := cmp.Or(dlms.RedactTitle(e.Title), "not sent")
	switch {
	case e.AuthKey:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key fits, but its authentication key does not: compare %s with "+
			"what your grid company gave you, or leave it out: then values are read, but nothing proves them, so that they are published after "+
			"two alike", sender, authSetting)
	case e.Tried:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key does not fit: compare %s with what your grid "+
			"company gave you (where it gave two, key and authentication key may be swapped); a meter that was replaced has another key",
			sender, setting)
	}
	return fmt.Sprintf("telegram is encrypted (system title %s): set %s; your grid company gives it to you", sender, setting)
}
