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

// message masks a whole message in place.
func (k *masking) message(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case tagCiphered:
		var c dlms.Ciphered
		return c.Parse(b) == nil && k.ciphered(&c, nil)
	case tagNotification:
		return k.notification(b)
	case '/':
		return len(k.text(b)) == len(b)
	}
	return false
}

// ownTitle is where in a system title the meter's own part begins: behind the maker's letters.
const ownTitle = 3

// ciphered decrypts a message, masks it, and encrypts it in its place with the public key. head is the text that comes before
// it in clear.
func (k *masking) ciphered(c *dlms.Ciphered, head []byte) bool {
	for _, key := range k.options.Keys {
		plain, _, err := key.Decrypt(nil, c)
		if err != nil {
			continue
		}
		if !k.inner(plain, head) {
			return false
		}
		if len(c.Title) > ownTitle {
			clear(c.Title[ownTitle:])
		}
		sealed := dlms.AppendCiphered(nil, k.test, c.Title, c.Security, c.Counter, plain)
		copy(c.Ciphertext, sealed[len(sealed)-len(c.Ciphertext):])
		return true
	}
	return false
}

// inner masks what was encrypted: a message, or, behind a head, a P1 telegram or the rest of one.
func (k *masking) inner(plain, head []byte) bool {
	if head == nil || len(plain) > 0 && plain[0] == '/' {
		return k.message(plain)
	}
	whole := append(bytes.Clone(head), plain...) // its checksum, where it has one, goes over both
	if len(k.text(whole)) != len(whole) {
		return false // there is no room for its checksum
	}
	copy(plain, whole[len(head):])
	return true
}
