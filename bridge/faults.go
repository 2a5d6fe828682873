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

// faults limits the log lines about faults. The first fault of each kind is logged. While faults of this kind continue, a line with their count is
// logged every ten minutes. After Recovered, the next fault of each kind is logged at once, at most twice within ten minutes.
type faults struct{ ratelimit.Limiter }

// warn logs a fault if faults allows a line for its kind, and reports whether it was logged. A wait of 0 is not logged.
func (f *faults) warn(log zerolog.Logger, message, kind string, err error, wait time.Duration) bool {
	count, ok := f.Allow(ratelimit.Normalize(kind))
	if !ok {
		return false
	}
	event := ratelimit.WithCount(log.Warn().Err(err), count)
	switch { // two digits are enough for a person
	case wait > 10*time.Second:
		event = event.Dur("wait", wait.Round(time.Second))
	case wait > 0:
		event = event.Dur("wait", wait.Round(100*time.Millisecond))
	}
	event.Msg(message)
	return true
}

// logDamaged logs why a telegram gave no reading.
func (l *meterLog) logDamaged(e *meter.TelegramError) {
	encrypted, ok := errors.AsType[*dlms.EncryptedError](e)
	switch {
	case ok:
		message := l.meter.encryptedMessage(encrypted)
		l.wireFaults.warn(l.Logger, message, message, nil, 0)
	case errors.Is(e, meter.ErrRepeated):
		l.telegramFaults.warn(l.Logger, "telegram with an old frame counter dropped, as frame_counter: rising says", "old", e, 0)
	case e.Intact:
		l.telegramFaults.warn(l.Logger, "telegram is intact, but meters of this kind are not read yet", "unknown", e, 0)
	default:
		l.telegramFaults.warn(l.Logger, "damaged telegram dropped", "damaged", e, 0)
	}
}

// encryptedMessage returns the message for a telegram that no key decrypts. It says what a person must do.
func (m Meter) encryptedMessage(e *dlms.EncryptedError) string {
	setting, authSetting := cmp.Or(m.KeySetting, "its key"), cmp.Or(m.AuthKeySetting, "it")
	sender := cmp.Or(dlms.RedactTitle(e.Title), "not sent")
	switch {
	case e.AuthKey:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key fits, but its authentication key does not: compare %s with "+
			"what your grid company gave you, or leave it out: then telegrams are not authenticated, so values are published only after a "+
			"second telegram has confirmed the first", sender, authSetting)
	case e.Tried:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key does not fit: compare %s with what your grid "+
			"company gave you (if you were given two keys, the key and the authentication key are possibly swapped); a new meter has another key",
			sender, setting)
	}
	return fmt.Sprintf("telegram is encrypted (system title %s): set %s; your grid company gives it to you", sender, setting)
}
