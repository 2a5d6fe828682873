package dlms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrWrongKey is the error of Decrypt for a key that does not decrypt the message. A damaged message gives the same error.
var ErrWrongKey = errors.New("dlms: the key does not fit")

// ErrWrongAuthKey is the error of Decrypt for a Key whose encryption key fits, but whose authentication key does not fit. It matches
// ErrWrongKey too. A message that was damaged after its first bytes gives the same error.
var ErrWrongAuthKey = fmt.Errorf("%w: only the encryption key fits, the authentication key does not", ErrWrongKey)

// A Key decrypts and encrypts the messages of one meter with AES-128 in Galois/Counter Mode (DLMS Green Book, 9.2.3.3.7). NewKey and
// ParseKeys return Keys. The methods of the zero Key panic. A Key prints as "key" with every verb and in JSON. It is not safe for
// concurrent use.
type Key struct {
	// secret is a function, because code that prints a Key by reflection, without its methods, then prints only an address.
	secret func() *secret
}

// secret has the cipher of a Key, and buffers that are reused for each message.
type secret struct {
	gcm           cipher.AEAD
	nonce         [titleLength + 4]byte // system title, frame counter
	aad           [1 + keyLength]byte   // additional authenticated data: security control byte, authentication key
	authenticates bool                  // an authentication key was given
}

const keyLength = 16

// sealCapacity is the capacity, in bytes, that Seal needs after the plaintext. On amd64 Seal always writes 16 bytes for the last block of the
// plaintext. With less capacity and a tag of 12 bytes, Seal sets up to 3 bytes after its buffer to 0 (Go 1.26, crypto/cipher).
const sealCapacity = 16

// NewKey returns the Key of an encryption key and an authentication key of 16 bytes each. If authentication is nil, Decrypt ignores the tags
// of messages. NewKey copies the keys, so the caller can change the slices afterwards.
func NewKey(encryption, authentication []byte) (*Key, error) {
	if len(encryption) != keyLength {
		return nil, fmt.Errorf("dlms: an encryption key of %d bytes, want %d", len(encryption), keyLength)
	}
	if authentication != nil && len(authentication) != keyLength {
		return nil, fmt.Errorf("dlms: an authentication key of %d bytes, want %d", len(authentication), keyLength)
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

// Decrypt decrypts c, appends the plain message to dst and returns the extended slice. authentic is true if the tag confirms every byte
// of the message. It is false if the message has no tag, or the Key has no authentication key. In these cases Decrypt only checks that
// plain begins as a message does. If the Key does not fit, the error is ErrWrongKey or ErrWrongAuthKey, and plain is nil.
//
// dst must not overlap c.Ciphertext. Decrypt allocates nothing if dst has room for len(c.Ciphertext)+16 bytes.
func (k *Key) Decrypt(dst []byte, c *Ciphered) (plain []byte, authentic bool, err error) {
	size := len(c.Ciphertext) - tagSize(c.Security)
	if size < 0 {
		return nil, false, ErrWrongKey
	}
	s := k.secret()
	nonce := s.iv(c.Title, c.Counter)
	if s.authenticates && tagSize(c.Security) > 0 {
		plain, err = s.gcm.Open(dst, nonce, c.Ciphertext, s.additionalData(c.Security))
		if err == nil {
			return plain, true, nil
		}
		err = ErrWrongAuthKey // if the encryption key fits, which is checked below
	}
	// In counter mode, encrypting the ciphertext again decrypts it. The tag that Seal appends is cut off.
	plain = s.gcm.Seal(slices.Grow(dst, size+sealCapacity), nonce, c.Ciphertext[:size], nil)[:len(dst)+size]
	if !beginsAsMessage(plain[len(dst):]) {
		return nil, false, ErrWrongKey
	}
	if err != nil {
		return nil, false, err
	}
	return plain, false, nil
}

// iv returns the initialization vector: system title and frame counter. It is valid until the next call.
func (s *secret) iv(title []byte, counter uint32) []byte {
	clear(s.nonce[:titleLength])
	copy(s.nonce[:titleLength], title)
	binary.BigEndian.PutUint32(s.nonce[titleLength:], counter)
	return s.nonce[:]
}

// additionalData returns the additional authenticated data of AES-GCM. It is valid until the next call.
func (s *secret) additionalData(security byte) []byte {
	s.aad[0] = security
	return s.aad[:]
}

// The receivers of the methods below are values, so that a Key prints the same with and without its pointer.

const keyText = "key"

// String returns "key".
func (Key) String() string { return keyText }

// Format writes "key" for every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(keyText)) }

// MarshalText returns "key".
func (Key) MarshalText() ([]byte, error) { return []byte(keyText), nil }
