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

// maskMessage masks a message in place: a data-notification, a general-glo-ciphering or an ASCII telegram. It reports whether the message
// could be masked.
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
		return len(k.maskText(b)) == len(b) // a longer checksum does not fit into the message
	}
	return false
}

// manufacturerLetters is the number of letters of the manufacturer code, with which a system title begins. The rest of the title is the serial
// number.
const manufacturerLetters = 3

// maskEncrypted decrypts a message, masks it, and encrypts it with TestKey in place. ident is the unencrypted identification line before the
// message, or nil if the message has none. maskEncrypted returns false if no key decrypts the message, or if the message cannot be masked.
func (k *telegramMask) maskEncrypted(c *dlms.Ciphered, ident []byte) bool {
	for _, key := range k.options.Keys {
		plain, _, err := key.Decrypt(nil, c)
		if err != nil {
			continue
		}
		if !k.maskPlaintext(plain, ident) {
			return false
		}
		if len(c.Title) > manufacturerLetters {
			clear(c.Title[manufacturerLetters:])
		}
		encrypted := dlms.AppendCiphered(nil, k.testKey, c.Title, c.Security, c.Counter, plain)
		copy(c.Ciphertext, encrypted[len(encrypted)-len(c.Ciphertext):])
		return true
	}
	return false
}

// maskPlaintext masks a decrypted message in place. If ident is not nil, the message is either a P1 telegram with its own identification line, or
// the lines of the telegram after ident.
func (k *telegramMask) maskPlaintext(plain, ident []byte) bool {
	if ident == nil || len(plain) > 0 && plain[0] == '/' {
		return k.maskMessage(plain)
	}
	telegram := append(bytes.Clone(ident), plain...) // the checksum covers ident and plain
	if len(k.maskText(telegram)) != len(telegram) {
		return false // the new checksum is longer and does not fit into the message
	}
	copy(plain, telegram[len(ident):])
	return true
}
