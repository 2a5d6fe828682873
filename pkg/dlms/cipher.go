package dlms

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A Ciphered is a parsed general-glo-ciphering (IEC 62056-5-3): an encrypted message, which Key.Decrypt decrypts. Its slices alias the bytes
// that were parsed.
//
//	DB | 08 title(8) | length | security | frame counter(4) | ciphertext | tag(12)
type Ciphered struct {
	// Title is the system title of the meter: 8 bytes, the manufacturer's FLAG ID of three letters and the serial number. It is empty
	// in a message that ParseHeadless reads.
	Title []byte
	// Security is the security control byte: 20 or 21 (hexadecimal) if the message is encrypted and has no authentication tag, 30 or 31 if
	// the message is encrypted and has a tag.
	Security byte
	// Counter is the frame counter. It increases with each message.
	Counter uint32
	// Ciphertext is the encrypted message. If the message has an authentication tag, the 12 bytes of the tag follow.
	Ciphertext []byte
}

// Sizes in bytes.
const (
	titleLength          = 8     // of a system title
	securityHeaderLength = 1 + 4 // security control byte and frame counter
	tagLength            = 12
	// Limits of the ciphertext in a stream without frames. No data-notification is shorter than 8 bytes.
	minStreamCiphertext = 8    // without the tag
	maxStreamCiphertext = 4096 // with the tag
)

// Bits of the security control byte (DLMS Green Book, 9.2.7.2.4). The low four bits are the suite: 0 and 1 are both AES-128.
const (
	suiteBits     = 0x0F
	authenticated = 0x10
	encrypted     = 0x20
	broadcastKey  = 0x40
	compressed    = 0x80
)

// Parse reads apdu, which must be exactly one general-glo-ciphering, and does not decrypt it. The error matches ErrTruncated, ErrMalformed or
// ErrUnsupported, and its text names the index of the wrong byte. After an error c is empty.
func (c *Ciphered) Parse(apdu []byte) error {
	r := reader{b: apdu}
	if r.byte() != tagCiphered {
		r.fail(0, "not an encrypted message")
	}
	return c.read(&r, titleLength)
}

// ParseHeadless is Parse for a message without system title: a general-glo-ciphering without its first byte DB, whose system title is
// empty. Meters of Stoen Operator (Warsaw) send it in P1 telegrams, between the identification line and the '!'.
//
//	00 | 82 length(2) | security 30 | frame counter 00000000 | ciphertext | tag(12)
//
// The plaintext is the data lines of the telegram. Key.Decrypt uses eight zero bytes as the system title of such a message, because the
// standard requires eight bytes. Whether the meters use zero bytes too is not known, because no message of a real meter is public with its key.
func (c *Ciphered) ParseHeadless(b []byte) error {
	return c.read(&reader{b: b}, 0)
}

// read reads the message after its first byte. titleSize is the required length of the system title.
func (c *Ciphered) read(r *reader, titleSize int) error {
	*c = Ciphered{}
	at := r.at
	if r.length() != titleSize {
		r.fail(at, "a system title of a wrong length")
	}
	title := r.bytes(titleSize)
	size := r.length()
	at = r.at
	security := r.byte()
	if reason := unsupported(security); reason != "" {
		r.failAs(ErrUnsupported, at, reason)
	}
	if size <= securityHeaderLength+tagSize(security) {
		r.fail(at, "an encrypted message without ciphertext")
	}
	counter := uint32(r.uint(4))
	ciphertext := r.bytes(size - securityHeaderLength)
	r.end()
	if r.fault != "" {
		return r.error()
	}
	*c = Ciphered{Title: title, Security: security, Counter: counter, Ciphertext: ciphertext}
	return nil
}

// end records a fault if r has more bytes.
func (r *reader) end() {
	if r.at < len(r.b) {
		r.fail(r.at, "more data than the length says")
	}
}

// unsupported returns the reason why a message with this security control byte cannot be read. It returns "" if the message can be read.
// A message that is only authenticated, and not encrypted, is unsupported.
func unsupported(security byte) string {
	switch {
	case security&compressed != 0:
		return "a compressed message, which is not read"
	case security&broadcastKey != 0:
		return "a message for the broadcast key, which is not read"
	case security&suiteBits > 1:
		return "a security suite other than 0 and 1, which is not read"
	case security&encrypted == 0:
		return "a general-glo-ciphering that is not encrypted, which is not read"
	}
	return ""
}

// tagSize returns the length of the tag of a message with this security control byte: 12 or 0.
func tagSize(security byte) int {
	if security&authenticated != 0 {
		return tagLength
	}
	return 0
}

// AppendCiphered encrypts plain and appends it to dst as a general-glo-ciphering. If title is empty, ParseHeadless reads the appended bytes
// without the first byte. plain and dst must not overlap.
//
// AppendCiphered panics if title is not of 8 or 0 bytes, if security is not 20, 21, 30 or 31 (hexadecimal), if security asks for a tag and
// k has no authentication key, or if the bytes after the length are more than 65535.
func AppendCiphered(dst []byte, k *Key, title []byte, security byte, counter uint32, plain []byte) []byte {
	validTitle := len(title) == titleLength || len(title) == 0
	if !validTitle || unsupported(security) != "" {
		panic(fmt.Sprintf("dlms: cannot encrypt with security control byte %02x and a system title of %d bytes", security, len(title)))
	}
	s := k.secret()
	if tagSize(security) > 0 && !s.authenticates {
		panic("dlms: no tag without an authentication key")
	}
	dst = append(append(dst, tagCiphered, byte(len(title))), title...)
	dst = appendSize(dst, securityHeaderLength+len(plain)+tagSize(security))
	dst = binary.BigEndian.AppendUint32(append(dst, security), counter)
	sealed := s.gcm.Seal(slices.Grow(dst, len(plain)+sealCapacity), s.iv(title, counter), plain, s.additionalData(security))
	return sealed[:len(sealed)-tagLength+tagSize(security)] // without the tag of Seal if security asks for none
}

// appendSize appends a length or count in the fewest bytes (IEC 61334-6, A-XDR 6.9). It panics if n is above 65535.
func appendSize(dst []byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(dst, byte(n))
	case n <= 0xFF:
		return append(dst, 0x81, byte(n))
	case n <= 0xFFFF:
		return appendUint16(append(dst, 0x82), uint16(n))
	}
	panic(fmt.Sprintf("dlms: a length or count of %d, above 65535", n))
}

// CipheredLength returns the length of the general-glo-ciphering that begins at b[0]. It returns 0 if b ends before the message ends, and -1
// if no such message begins at b[0]. A result other than 0 stays the same if more bytes are appended to b. The results have the same meaning
// as those of hdlc.Length and mbus.Length. CipheredLength does not verify the message.
//
// CipheredLength is for streams of messages without frames (Luxembourg, Smarty P1 1.1.3). In such a stream, only decryption shows whether
// a message really begins at b[0]. So CipheredLength accepts only messages with a system title of 8 bytes, a ciphertext of 8 to 4096 bytes,
// and a security control byte that Parse supports.
func CipheredLength(b []byte) int {
	const start = "\xDB\x08"
	if n := min(len(b), len(start)); string(b[:n]) != start[:n] {
		return -1
	}
	r := reader{b: b}
	r.bytes(len(start) + titleLength)
	size := r.length()
	at := r.at
	security := r.byte()
	end := at + size
	switch {
	case r.fault == endsEarly:
		return 0
	case r.fault != "" || unsupported(security) != "":
		return -1
	case size < securityHeaderLength+minStreamCiphertext+tagSize(security) || size > securityHeaderLength+maxStreamCiphertext:
		return -1
	case end > len(b):
		return 0
	}
	return end
}
