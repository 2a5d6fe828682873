package meter

import (
	"errors"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

// lock is what has been learned from ciphered telegrams.
type lock struct {
	message dlms.Ciphered
	plain   []byte
	key     int     // index of the key that fitted last
	opened  bool    // one has fitted
	title   [8]byte // of the last telegram that was opened
	counter uint32  // of the same
}

// AddKey adds a key to those of Options.Keys. It may be called between two calls of Next, or within a Read of the stream.
func (d *Decoder) AddKey(k *dlms.Key) {
	d.options.Keys = append(slices.Clip(d.options.Keys), k) // the caller's slice may be shared with other Decoders
}

// unlock decrypts d.lock.message behind head, a text that comes before it in clear. It notes in the reading how it was
// encrypted, and that the telegram is unchecked where no tag could be judged.
func (d *Decoder) unlock(head []byte) ([]byte, error) {
	l, r := &d.lock, &d.reading
	c := &l.message
	r.Cipher = Cipher{Security: c.Security, Counter: c.Counter}
	copy(r.Cipher.Title[:], c.Title)
	if len(d.options.Keys) == 0 {
		return nil, &dlms.EncryptedError{Title: r.Cipher.Title}
	}
	l.plain = append(l.plain[:0], head...)
	half := false
	for i := range d.options.Keys {
		k := (l.key + i) % len(d.options.Keys)
		plain, authentic, err := d.options.Keys[k].Open(l.plain, c)
		if err != nil {
			half = half || errors.Is(err, dlms.ErrWrongAuthKey)
			continue
		}
		l.plain, l.key = plain, k
		r.Checked = authentic
		return plain, d.count(r)
	}
	if !r.Checked && l.opened && l.title == r.Cipher.Title {
		return nil, ErrAuthentication // no frame around it has said that its bytes are right
	}
	return nil, &dlms.EncryptedError{Title: r.Cipher.Title, Tried: true, AuthKey: half}
}

// count compares the frame counter with that of the same meter before. An old one is no fault: a new key begins anew.
func (d *Decoder) count(r *Reading) error {
	l := &d.lock
	if r.Cipher.Title == [8]byte{} {
		return nil // Polish meters send no title, and always 0
	}
	r.Repeated = l.opened && l.title == r.Cipher.Title && r.Cipher.Counter <= l.counter
	if r.Repeated && d.options.RejectRepeated {
		return ErrRepeated
	}
	l.opened, l.title, l.counter = true, r.Cipher.Title, r.Cipher.Counter
	return nil
}
