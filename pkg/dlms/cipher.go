package dlms

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A Ciphered is a parsed general-glo-ciphering (IEC 62056-5-3): a message that only the meter's Key opens. Its slices
// belong to the bytes it was parsed from.
//
//	DB | 08 title(8) | length | security | frame counter(4) | ciphertext | tag(12)
type Ciphered struct {
	// Title is the system title of the meter, 8 bytes: three letters of the maker, then what tells its meters apart. It is
	// empty in a headless message.
	Title []byte
	// Security is the security control byte: 20 or 21 encrypted, 30 or 31 encrypted and with a tag (hexadecimal).
	Security byte
	// Counter is the frame counter, which rises with each message of a key.
	Counter uint32
	// Ciphertext is the ciphertext and, where Security says so, the tag behind it.
	Ciphertext []byte
}

// Sizes in bytes.
const (
	titleLength = 8
	headLength  = 1 + 4 // security and frame counter
	tagLength   = 12
	minStream   = 8    // of text, in a stream: no data-notification is shorter
	maxStream   = 4096 // of text and tag, in a stream
)

// Bits of the security control byte (DLMS Green Book, 9.2.7.2.4). The low four number the suite: 0 and 1 are both AES-128.
const (
	suiteBits     = 0x0F
	authenticated = 0x10
	encrypted     = 0x20
	broadcastKey  = 0x40
	compressed    = 0x80
)

// Parse reads a general-glo-ciphering whole: one that is cut, is followed by more, or is secured in a way that no customer
// port uses is an error that names the byte, and leaves nothing.
func (c *Ciphered) Parse(apdu []byte) error {
	r := reader{b: apdu}
	if r.byte() != tagCiphered {
		r.fail(0, "not an encrypted message")
	}
	return c.read(&r, titleLength)
}

// ParseHeadless reads what the meters of Stoen Operator (Warsaw) send between the identification line of a P1 telegram and
// its '!': a general-glo-ciphering without its tag DB, and with a system title of no bytes.
//
//	00 | 82 length(2) | 30 | 00000000 | ciphertext | tag(12)
//
// Its text is the lines of the telegram. Key.Open takes eight zero bytes for the title: the only reading of the standard
// that is left, but no message with a published key proves it.
func (c *Ciphered) ParseHeadless(b []byte) error {
	return c.read(&reader{b: b}, 0)
}

// read reads all behind the APDU's tag; title is the length that the system title must have.
func (c *Ciphered) read(r *reader, title int) error {
	*c = Ciphered{}
	at := r.at
	if r.length() != title {
		r.fail(at, "a system title of a wrong length")
	}
	name := r.bytes(title)
	size := r.length()
	at = r.at
	security := r.byte()
	if reason := unread(security); reason != "" {
		r.failAs(ErrUnsupported, at, reason)
	}
	if size <= headLength+tagOf(security) {
		r.fail(at, "an encrypted message without text")
	}
	counter := uint32(r.uint(4))
	text := r.bytes(size - headLength)
	r.end()
	if r.fault != "" {
		return r.error()
	}
	*c = Ciphered{Title: name, Security: security, Counter: counter, Ciphertext: text}
	return nil
}

// end fails where something stands behind what was read.
func (r *reader) end() {
	if r.at < len(r.b) {
		r.fail(r.at, "more data than the length says")
	}
}

// unread tells why a message with this security control byte is not read, "" for one that is.
func unread(security byte) string {
	switch {
	case security&compressed != 0:
		return "a compressed message, which is not read"
	case security&broadcastKey != 0:
		return "a message for the broadcast key, which is not read"
	case security&suiteBits > 1:
		return "a security suite other than 0 and 1, which is not read"
	case security&encrypted == 0:
		return "a ciphered message that is not encrypted, which is not read"
	}
	return ""
}

// tagOf returns the length of the tag that a message has.
func tagOf(security byte) int {
	if security&authenticated != 0 {
		return tagLength
	}
	return 0
}

// AppendCiphered encrypts plain and appends it as a general-glo-ciphering, its lengths in the fewest bytes. With a title of
// no bytes, what stands behind the first byte is a headless message. plain and dst must not overlap. It panics on a
// programmer's fault: a title that is not of 8 or 0 bytes, a security other than 20, 21, 30 and 31 (hexadecimal), a tag
// wanted of a key that cannot authenticate, more text than a length can say.
func AppendCiphered(dst []byte, k *Key, title []byte, security byte, counter uint32, plain []byte) []byte {
	if n := len(title); n != titleLength && n != 0 || unread(security) != "" {
		panic(fmt.Sprintf("dlms: no message of security %02x with a system title of %d bytes", security, n))
	}
	s := k.secret()
	if tagOf(security) > 0 && !s.authenticates {
		panic("dlms: no tag without an authentication key")
	}
	dst = append(append(dst, tagCiphered, byte(len(title))), title...)
	dst = appendSize(dst, headLength+len(plain)+tagOf(security))
	dst = binary.BigEndian.AppendUint32(append(dst, security), counter)
	sealed := s.gcm.Seal(slices.Grow(dst, len(plain)+sealRoom), s.iv(title, counter), plain, s.additional(security))
	return sealed[:len(sealed)-tagLength+tagOf(security)]
}

// appendSize appends the length of an octet-string in the fewest bytes (IEC 61334-6, A-XDR 6.9).
func appendSize(dst []byte, n int) []byte {
	switch {
	case n < 0x80:
		return append(dst, byte(n))
	case n <= 0xFF:
		return append(dst, 0x81, byte(n))
	case n <= 0xFFFF:
		return appendUint16(append(dst, 0x82), uint16(n))
	}
	panic(fmt.Sprintf("dlms: no length of %d bytes", n))
}

// CipheredLength returns how many bytes the general-glo-ciphering that begins at b[0] takes: 0 when b does not hold its end
// yet, -1 when none begins there. It is for streams that hold such messages with nothing around them (Luxembourg, Smarty P1
// 1.1.3), where a message proves itself only to who has the key; so it is strict: a title of 8 bytes, a text of 8 to 4096
// bytes, a security that Parse reads. More bytes behind b never change an answer other than 0.
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
	case r.fault == short:
		return 0
	case r.fault != "" || unread(security) != "":
		return -1
	case size < headLength+minStream+tagOf(security) || size > headLength+maxStream:
		return -1
	case end > len(b):
		return 0
	}
	return end
}
