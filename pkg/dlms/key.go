package dlms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrWrongKey is the error of Open for a key that does not decrypt the message. A damaged message gives the same error.
var ErrWrongKey = errors.New("dlms: the key does not fit")

// ErrWrongAuthKey is the error of Open for a Key that decrypts the message, but whose authentication key does not confirm its
// tag. It matches ErrWrongKey too. A message that was damaged behind its first bytes gives the same error.
var ErrWrongAuthKey = fmt.Errorf("%w: its authentication key alone", ErrWrongKey)

// A Key opens the messages of one meter, and writes such: AES-128 in Galois/Counter Mode (DLMS Green Book, 9.2.3.3.7). Only
// NewKey makes one that works. It prints as "key", whatever the verb or the encoding. Not safe for concurrent use.
type Key struct {
	// secret is a function, so that what prints by reflection finds an address even where it may not call methods.
	secret func() *secret
}

// secret holds what a Key needs for each message, made once.
type secret struct {
	gcm           cipher.AEAD
	nonce         [titleLength + 4]byte
	aad           [1 + keyLength]byte // security control byte, authentication key
	authenticates bool
}

const keyLength = 16

// sealRoom is how many bytes behind the text Seal must find, whatever the length of the tag: on amd64 it writes the last
// block of 16 bytes whole, so that with a tag of 12 up to 3 bytes behind its buffer become 0 (Go 1.26, crypto/cipher).
const sealRoom = 16

// NewKey returns the Key of an encryption key and an authentication key of 16 bytes each. Without an authentication key,
// nil, the tag of a message is not looked at. Both are copied.
func NewKey(encryption, authentication []byte) (*Key, error) {
	if len(encryption) != keyLength {
		return nil, fmt.Errorf("dlms: an encryption key of %d bytes; it has %d", len(encryption), keyLength)
	}
	if authentication != nil && len(authentication) != keyLength {
		return nil, fmt.Errorf("dlms: an authentication key of %d bytes; it has %d", len(authentication), keyLength)
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return nil, fmt.Errorf("dlms: %w", err)
	}
	gcm, err := cipher.NewGCMWithTagSize(block, tagLength)
	if err != nil {
		return nil, fmt.Errorf("dlms: %w", err)
	}
	s := &secret{gcm: gcm, authenticates: authentication != nil}
	copy(s.aad[1:], authentication)
	return &Key{func() *secret { return s }}, nil
}

// Decrypt decrypts c, appends the text to dst and returns it. authentic tells that the tag proves every byte of it; else the
// message has no tag, or the Key cannot judge it, and only its start was seen to be that of a message. A Key that does not
// fit is ErrWrongKey or ErrWrongAuthKey, and returns nil. dst must not overlap c.Text; where it has room for c.Text and 16 bytes more, nothing is
// allocated.
func (k *Key) Decrypt(dst []byte, c *Ciphered) (plain []byte, authentic bool, err error) {
	size := len(c.Ciphertext) - tagOf(c.Security)
	if size < 0 {
		return nil, false, ErrWrongKey
	}
	s := k.secret()
	nonce := s.iv(c.Title, c.Counter)
	if s.authenticates && tagOf(c.Security) > 0 {
		plain, err = s.gcm.Open(dst, nonce, c.Ciphertext, s.additional(c.Security))
		if err == nil {
			return plain, true, nil
		}
		err = ErrWrongAuthKey
	}
	// In counter mode to encrypt is to decrypt: sealing the ciphertext gives the text, and a tag of no meaning behind it.
	plain = s.gcm.Seal(slices.Grow(dst, size+sealRoom), nonce, c.Ciphertext[:size], nil)[:len(dst)+size]
	if !beginsRight(plain[len(dst):]) {
		return nil, false, ErrWrongKey
	}
	if err != nil {
		return nil, false, err
	}
	return plain, false, nil
}

// iv returns the initialization vector, valid until the next call: system title and frame counter.
func (s *secret) iv(title []byte, counter uint32) []byte {
	clear(s.nonce[:titleLength])
	copy(s.nonce[:titleLength], title)
	binary.BigEndian.PutUint32(s.nonce[titleLength:], counter)
	return s.nonce[:]
}

// additional returns the additional authenticated data, valid until the next call.
func (s *secret) additional(security byte) []byte {
	s.aad[0] = security
	return s.aad[:]
}

// Both receivers are values, so that a Key prints the same with and without its pointer.

const keyText = "key"

// String returns "key".
func (Key) String() string { return keyText }

// Format writes "key" for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(keyText)) }

// MarshalText returns "key".
func (Key) MarshalText() ([]byte, error) { return []byte(keyText), nil }
