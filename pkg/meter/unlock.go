package meter

import (
	"errors"

	"github.com/hanbridge/hanbridge/pkg/dlms"
)

var errTag = errors.New("dlms: the authentication tag is wrong, though the key fitted before: damaged")

// ErrOld is the error of a ciphered telegram whose frame counter is not above the last one, where such are to be rejected.
var ErrOld = errors.New("dlms: the frame counter is not above the last one")

// lock is what has been learned from ciphered telegrams.
type lock struct {
	message dlms.Ciphered
	plain   []byte
	key     int     // index of the key that fitted last
	opened  bool    // one has fitted
	title   [8]byte // of the last telegram that was opened
	counter uint32  // of the same
}

// unlock decrypts d.lock.message behind head, a text that comes before it in clear. It notes in the reading how it was
// encrypted, and that the telegram is unchecked where no tag could be judged.
func (d *Decoder) unlock(head []byte) ([]byte, error) {
	l, r := &d.lock, &d.reading
	c := &l.message
	r.Cipher = Cipher{Security: c.Security, Counter: c.Counter}
	copy(r.Cipher.Title[:], c.Title)
	if len(d.Keys) == 0 {
		return nil, &dlms.EncryptedError{Title: r.Cipher.Title}
	}
	l.plain = append(l.plain[:0], head...)
	half := false
	for i := range d.Keys {
		k := (l.key + i) % len(d.Keys)
		plain, authentic, err := d.Keys[k].Open(l.plain, c)
		if err != nil {
			half = half || errors.Is(err, dlms.ErrWrongAuthKey)
			continue
		}
		l.plain, l.key = plain, k
		r.Checked = authentic
		return plain, d.count(r)
	}
	if !r.Checked && l.opened && l.title == r.Cipher.Title {
		return nil, errTag // no frame around it has said that its bytes are right
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
	if r.Repeated && d.RejectOld {
		return ErrOld
	}
	l.opened, l.title, l.counter = true, r.Cipher.Title, r.Cipher.Counter
	return nil
}
