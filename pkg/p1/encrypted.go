package p1

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
)

// Polish meters of Stoen Operator send encrypted telegrams. The identification line is not encrypted, and an empty line follows. The body is in
// place of the data lines: a system title of length 0, 82 and a length in two bytes, security control byte, frame counter, ciphertext and
// authentication tag. A '!'
// and the checksum follow as in any other telegram:
//
//	/EGM5G35 CR LF CR LF 00 82 LL LL 30 00000000 … ! FE0C CR LF
//
// The checksum is CRC-16/X.25 over everything from '/' to '!', with the low byte first. CRC-16/ARC, which all other telegrams have, is also
// accepted.
const (
	// maxIdent is the largest length of the identification line, in bytes with its '/'.
	maxIdent = 64
	// maxEncrypted is the largest number of bytes from the security control byte up to the '!', which is not counted.
	maxEncrypted = 4096
	// minEncrypted is the smallest number of these bytes: security control byte and frame counter.
	minEncrypted = 5
	// bodyHeaderSize is the number of bytes of the length of the system title (1), the length of what follows (3), and the security control byte (1).
	bodyHeaderSize = 5
	// emptyLine is the end of the identification line and the empty line after it.
	emptyLine = "\r\n\r\n"
)

// x25Table computes CRC-16/X.25 without its initial value and final inversion: reflected polynomial 8408.
var x25Table = crc16.New(0x8408)

// x25Checksum returns the CRC-16/X.25 of b with its two bytes exchanged, because telegrams have the low byte first.
func x25Checksum(b []byte) uint16 { return bits.ReverseBytes16(^x25Table.Update(0xFFFF, b)) }

// SplitEncrypted returns the two parts of an encrypted telegram. head is the identification line, which is not encrypted, with the empty line
// after it. body is the rest up to the '!': a general-glo-ciphering APDU with an empty system title, but without its first byte DB. head and body
// are parts of b. ok is false if b does not begin with a head and a complete body. SplitEncrypted does not verify the checksum: see CheckEncrypted.
func SplitEncrypted(b []byte) (head, body []byte, ok bool) {
	start := afterEmptyLine(b)
	if start == 0 || len(b) < start+bodyHeaderSize {
		return nil, nil, false
	}
	n := encryptedSize(b[start:])
	if n == 0 || len(b)-start < n {
		return nil, nil, false
	}
	return b[:start], b[start : start+n], true
}

// CheckEncrypted verifies the checksum of b, which is one encrypted telegram of the length that Length returns. If the telegram has no
// checksum, checked is false and err is nil. The error is ErrChecksum if the checksum is wrong, and ErrMalformed if b is not an encrypted telegram.
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

// afterEmptyLine returns the index after the empty line that follows the identification line, where the body of an encrypted telegram
// begins. It is 0 if there is no empty line.
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

// encryptedSize returns the length in bytes of the body at the start of b, from its system title to its authentication tag. It is 0 if b does not
// begin as a body does.
func encryptedSize(b []byte) int {
	if b[0] != 0 || b[1] != 0x82 || b[4]&^0x11 != 0x20 { // security suite 0 or 1, encrypted, with or without authentication
		return 0
	}
	n := int(b[2])<<8 | int(b[3])
	if n < minEncrypted || n > maxEncrypted {
		return 0
	}
	return bodyHeaderSize - 1 + n // n counts the security control byte too
}

// encryptedLength returns the length of an encrypted telegram. cut is the index of its first byte that is not text. The result is 0 if more
// bytes are needed. If b is not an encrypted telegram, the result is cut, but at least 1.
func encryptedLength(b []byte, cut int) int {
	if cut == 0 || cut != afterEmptyLine(b) {
		return max(cut, 1)
	}
	if len(b) < cut+bodyHeaderSize {
		if !isPossibleBody(b[cut:]) {
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

// isPossibleBody reports whether b is possibly the beginning of a body. b is shorter than bodyHeaderSize.
func isPossibleBody(b []byte) bool {
	return b[0] == 0 && (len(b) < 2 || b[1] == 0x82) && (len(b) < 3 || b[2] <= maxEncrypted>>8)
}
