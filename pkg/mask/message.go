package mask

import (
	"bytes"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// Tags of messages (IEC 62056-5-3, 9.5).
const (
	tagNotification = 0x0F
	tagCiphered     = 0xDB
)

// maskMessage masks a whole message in place. It reports whether the message could be masked.
func (k *telegramMask) maskMessage(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case tagCiphered:
		var c dlms.Ciphered
		return c.Parse(b) == nil && k.maskEncrypted(&c, nil)
	case tagNotification:
		return k.notification(b)
	case '/':
		return len(k.text(b)) == len(b)
	}
	return false
}

// makerLetters is the number of letters that name the manufacturer at the beginning of a system title. The rest identifies the meter.
const makerLetters = 3

// maskEncrypted decrypts a message, masks it, and encrypts it with TestKey in place. ident is the unencrypted identification line before
// it, nil if there is none.
func (k *telegramMask) maskEncrypted(c *dlms.Ciphered, ident []byte) bool {
	for _, key := range k.options.Keys {
		plain, _, err := key.Decrypt(nil, c)
		if err != nil {
			continue
		}
		if !k.inner(plain, ident) {
			return false
		}
		if len(c.Title) > makerLetters {
			clear(c.Title[makerLetters:])
		}
		sealed := dlms.AppendCiphered(nil, k.testKey, c.Title, c.Security, c.Counter, plain)
		copy(c.Ciphertext, sealed[len(sealed)-len(c.Ciphertext):])
		return true
	}
	return false
}

// inner masks a decrypted message in place. If there is an identification line before the message, the message is a P1 telegram or the rest
// of one.
func (k *telegramMask) inner(plain, ident []byte) bool {
	if ident == nil || len(plain) > 0 && plain[0] == '/' {
		return k.maskMessage(plain)
	}
	whole := append(bytes.Clone(ident), plain...) // a checksum covers both
	if len(k.text(whole)) != len(whole) {
		return false // the new checksum is longer and does not fit
	}
	copy(plain, whole[len(ident):])
	return true
}
