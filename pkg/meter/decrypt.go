package meter

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// decryption is the state of the decryption of a meter's messages.
type decryption struct {
	message   dlms.Ciphered
	plaintext []byte // plaintext of message; the plaintext of the next message uses the same memory
	keyIndex  int    // index of the key that fitted last
	// anyDecrypted is true if a message with a system title was decrypted. title and counter are the system title and the frame counter of the last
	// such message, except if it was rejected as repeated.
	anyDecrypted bool
	title        [8]byte
	counter      uint32
}

// decrypt decrypts d.decryption.message. It returns header, the unencrypted text before the message, followed by the plaintext. It sets Cipher of
// the reading. If a key decrypts the message, decrypt sets Checked to whether the authentication tag is valid.
func (d *Decoder) decrypt(header []byte) ([]byte, error) {
	c, r := &d.decryption, &d.reading
	m := &c.message
	r.Cipher = Cipher{Security: m.Security, Counter: m.Counter}
	copy(r.Cipher.Title[:], m.Title)
	if len(d.options.Keys) == 0 {
		return nil, &dlms.EncryptedError{Title: r.Cipher.Title}
	}
	c.plaintext = append(c.plaintext[:0], header...)
	wrongAuthKey := false
	for i := range d.options.Keys {
		k := (c.keyIndex + i) % len(d.options.Keys)
		plaintext, authentic, err := d.options.Keys[k].Decrypt(c.plaintext, m)
		if err != nil {
			wrongAuthKey = wrongAuthKey || errors.Is(err, dlms.ErrWrongAuthKey)
			continue
		}
		c.plaintext, c.keyIndex = plaintext, k
		r.Checked = authentic
		return plaintext, d.checkCounter(r)
	}
	if !r.Checked && c.anyDecrypted && c.title == r.Cipher.Title {
		return nil, ErrAuthentication // a key has decrypted an earlier message of this meter, and no checksum of a frame shows that the bytes are intact
	}
	return nil, &dlms.EncryptedError{Title: r.Cipher.Title, Tried: true, AuthKey: wrongAuthKey}
}

// checkCounter compares the frame counter with the last frame counter, and sets Repeated of the reading. It compares only counters of the same
// meter. Unless the telegram is rejected, a lower counter is stored too, because a meter that gets a new key starts to count again.
func (d *Decoder) checkCounter(r *Reading) error {
	c := &d.decryption
	if r.Cipher.Title == [8]byte{} {
		return nil // Polish meters send no title, and always counter 0
	}
	r.Repeated = c.anyDecrypted && c.title == r.Cipher.Title && r.Cipher.Counter <= c.counter
	if r.Repeated && d.options.RejectRepeated {
		return ErrRepeated
	}
	c.anyDecrypted, c.title, c.counter = true, r.Cipher.Title, r.Cipher.Counter
	return nil
}
