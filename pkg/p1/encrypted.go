package p1

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
)

// A ciphered telegram, as Polish meters of Stoen Operator send it, begins with an identification line in clear and an empty
// line. Then, in place of the data lines, follow a system title of no bytes, a length, and so many bytes from the security
// byte on: frame counter, ciphertext and tag. It ends like any other telegram:
//
//	/EGM5G35 CR LF CR LF 00 82 LL LL 30 00000000 … ! FE0C CR LF
//
// In the one known from the field the checksum is CRC-16/X.25 over all from '/' to '!', the low byte first; CRC-16/ARC, that of
// all other telegrams, is taken too.
const (
	// maxIdent is how long the identification line in front may be, in bytes with its '/'.
	maxIdent = 64
	// maxEncrypted is how long it may be from the security byte to the '!', in bytes.
	maxEncrypted = 4096
	// encryptedHeadSize is how many bytes tell what follows: title, length and security.
	encryptedHeadSize = 5
	// emptyLine ends the identification line and is empty itself.
	emptyLine = "\r\n\r\n"
)

// frameChecksums is CRC-16/X.25 but for its start and end: reflected polynomial 8408.
var x25Table = crc16.New(0x8408)

// frameChecksum returns the CRC-16/X.25 of b with its bytes in the order of frames, the low one first.
func x25Checksum(b []byte) uint16 { return bits.ReverseBytes16(^x25Table.Update(0xFFFF, b)) }

// SplitEncrypted returns the two parts of an encrypted telegram. Head is the identification line, which is not encrypted, with the empty
// line after it. Body is what stands between head and the '!': a general-glo-ciphering APDU without its tag, with an empty system title.
// Both are parts of b. ok is false if b does not begin with a whole encrypted telegram. The checksum is not looked at: see
// CheckEncrypted.
func SplitEncrypted(b []byte) (head, body []byte, ok bool) {
	start := afterEmptyLine(b)
	if start == 0 || len(b) < start+encryptedHeadSize {
		return nil, nil, false
	}
	n := encryptedSize(b[start:])
	if n == 0 || len(b)-start < n {
		return nil, nil, false
	}
	return b[:start], b[start : start+n], true
}

// CheckEncrypted verifies the checksum of a ciphered telegram, as Length delimits it. Checked is false where it carries none.
func CheckEncrypted(b []byte) (checked bool, err error) {
	head, body, ok := SplitEncrypted(b)
	if !ok {
		return false, errNotEncrypted
	}
	end := len(head) + len(body)
	if end == len(b) || b[end] != '!' {
		return false, nil
	}
	sum := trimmed(b[end+1:])
	if len(sum) == 0 {
		return false, nil
	}
	got, ok := readChecksum(sum)
	if !ok {
		return false, errNoHexChecksum
	}
	if want := x25Checksum(b[:end+1]); got != want && got != Checksum(b[:end+1]) {
		return false, fmt.Errorf("%w: want %04X, got %04X", ErrChecksum, want, got)
	}
	return true, nil
}

// bodyStart returns where the body of a ciphered telegram would begin, behind the empty line; 0 where that is not there.
func afterEmptyLine(b []byte) int {
	if len(b) == 0 || b[0] != '/' {
		return 0
	}
	i := bytes.Index(b[:min(len(b), maxIdent+len(emptyLine))], []byte(emptyLine))
	if i < 0 {
		return 0
	}
	return i + len(emptyLine)
}

// cipheredSize returns how many bytes what is ciphered takes with its title and length, 0 when b does not begin like that.
func encryptedSize(b []byte) int {
	if b[0] != 0 || b[1] != 0x82 || b[4]&^0x11 != 0x20 { // suite 0 or 1; encrypted, authenticated or not
		return 0
	}
	n := int(b[2])<<8 | int(b[3])
	if n < encryptedHeadSize || n > maxEncrypted {
		return 0
	}
	return encryptedHeadSize - 1 + n
}

// cipheredLength returns the length of a ciphered telegram whose first byte that is no text is at cut: 0 to read on, cut for none.
func encryptedLength(b []byte, cut int) int {
	if cut == 0 || cut != afterEmptyLine(b) {
		return max(cut, 1)
	}
	if len(b) < cut+encryptedHeadSize {
		if !mayBecomeEncrypted(b[cut:]) {
			return cut
		}
		return 0
	}
	n := encryptedSize(b[cut:])
	if n == 0 {
		return cut
	}
	switch end := cut + n; {
	case end >= len(b):
		return 0
	case b[end] == '!':
		return checksumEnd(b, end+1, false)
	default:
		return end
	}
}

// mayBeHead tells if more bytes may make of b what cipheredSize knows.
func mayBecomeEncrypted(b []byte) bool {
	return b[0] == 0 && (len(b) < 2 || b[1] == 0x82) && (len(b) < 3 || b[2] <= maxEncrypted>>8)
}
