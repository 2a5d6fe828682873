package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
)

// damaged counts a telegram that is dropped, and says in the log why it was.
func (p *pipeline) damaged(e *meter.TelegramError) {
	p.countDamaged(e.Sound)
	if locked, ok := errors.AsType[*dlms.LockedError](e); ok {
		message := p.meter.lockedMessage(locked)
		p.locked.warn(p.log, message, message, nil, 0)
		return
	}
	message := "damaged telegram dropped"
	switch {
	case errors.Is(e, meter.ErrOld):
		message = "telegram with an old frame counter dropped, as frame_counter: rising says"
	case e.Sound:
		message = "telegram came sound, but meters of this kind are not read yet"
	}
	p.damage.warn(p.log, message, message, e, 0)
}

// lockedMessage says what opens an encrypted telegram, and who has it.
func (m Meter) lockedMessage(e *dlms.LockedError) string {
	setting := m.KeySetting
	if setting == "" {
		setting = "its key"
	}
	switch {
	case e.AuthKey:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key fits, but its authentication key does not: compare %s with "+
			"what your grid company gave you, or leave it out: then values are read, but nothing proves them, so that they are published after "+
			"two alike", maker(e.Title[:]), besideKey(m.KeySetting))
	case e.Tried:
		return fmt.Sprintf("telegram is encrypted (system title %s), and the key does not fit: compare %s with what your grid "+
			"company gave you (where it gave two, key and authentication key may be swapped); a meter that was replaced has another key",
			maker(e.Title[:]), setting)
	}
	return fmt.Sprintf("telegram is encrypted (system title %s): set %s; your grid company gives it to you", maker(e.Title[:]), setting)
}

// besideKey names the setting of the authentication key that belongs to a setting of a key.
func besideKey(setting string) string {
	for key, authKey := range map[string]string{"].key": "].auth_key", "_METER_KEY": "_METER_AUTH_KEY"} {
		if before, ok := strings.CutSuffix(setting, key); ok {
			return before + authKey
		}
	}
	if setting == "" {
		return "it"
	}
	return "the second key in " + setting
}

// maker returns the beginning of a system title, as far as it names the make and kind of a meter: the rest is its number.
func maker(title []byte) string {
	const kind = 4
	if len(bytes.Trim(title, "\x00")) == 0 {
		return "not sent"
	}
	text := title[:kind]
	if i := bytes.IndexFunc(text, func(r rune) bool { return r < 'A' || r > 'Z' }); i >= 0 {
		text = text[:i]
	}
	if len(text) == 0 {
		return fmt.Sprintf("%X…", title[:kind])
	}
	return string(text) + "…"
}
