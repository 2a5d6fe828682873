// Package p1 reads and writes the ASCII telegrams of a meter's P1 port, optical head or other text interface:
//
//	/ADN9 6534 CR LF CR LF 1-0:1.7.0(0000.345*kW) CR LF … !6BB0 CR LF
//
// It reads telegrams with a checksum (DSMR 4 and DSMR P1 5.0.2, the Swedish branch recommendation 2.0, the Finnish SK 13-1 and their
// relatives) and without a checksum (IEC 62056-21 mode D, DSMR 2.2 and 3.0). In a telegram without a checksum, every line must be well
// formed.
//
// Length, Parse and Append have the same meaning as in packages hdlc and mbus. Length returns the length of the telegram at the beginning of
// a slice and verifies nothing. Parse verifies and reads a telegram. Append writes a telegram.
//
// A Telegram can read many telegrams with its method Parse without allocating. All functions are safe for concurrent use. A Telegram is not.
package p1

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// MaxLength is the longest telegram that is read, in bytes, from its '/' to the line end after its checksum. The longest known telegrams
// have less than 4 kB.
const MaxLength = 8192

// arcTable computes CRC-16/ARC: reflected polynomial A001, initial value 0 (DSMR P1 5.0.2, 6.2).
var arcTable = crc16.New(0xA001)

// Checksum returns the CRC-16/ARC of b (DSMR P1 5.0.2, 6.2). For the checksum of a telegram, b is the telegram from its '/' to its '!', both
// included.
func Checksum(b []byte) uint16 { return arcTable.Update(0, b) }

func isHex(x byte) bool {
	return x-'0' <= 9 || (x|0x20)-'a' <= 5
}

func isLineEnd(x byte) bool { return x == '\r' || x == '\n' }

// Append appends text, its checksum and CR LF to dst and returns the extended slice. text is a telegram from its '/' to its '!', both
// included. Its lines must end with CR LF. Append verifies nothing.
func Append(dst, text []byte) []byte {
	return appendChecksum(append(dst, text...), Checksum(text))
}

// AppendEncrypted appends an encrypted telegram with its checksum to dst and returns the extended slice. ident is the identification line
// without its '/' and line end. body is as SplitEncrypted returns it. AppendEncrypted verifies nothing.
func AppendEncrypted(dst []byte, ident string, body []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, '/'), ident...), emptyLine...)
	dst = append(append(dst, body...), '!')
	return appendChecksum(dst, x25Checksum(dst[start:]))
}

func appendChecksum(dst []byte, sum uint16) []byte {
	return fmt.Appendf(dst, "%04X\r\n", sum)
}

// StripParity converts bytes of a line of 7 data bits and even parity that was read as 8 data bits without parity. DSMR 2.2 and 3.0 and
// Slovenian meters use such lines (7E1). The '/' of a telegram arrives as AF.
//
// StripParity copies src to dst without bit 7. It stops before the first byte that has odd parity or is not a character of a telegram. It
// returns the number of bytes that it copied, at most len(dst). dst and src can be the same slice.
func StripParity(dst, src []byte) (n int) {
	for n < min(len(dst), len(src)) {
		x := src[n]
		if c := x & 0x7F; bits.OnesCount8(x)&1 != 0 || !isText(c) {
			return n
		}
		dst[n] = x & 0x7F
		n++
	}
	return n
}

func isText(c byte) bool { return c >= ' ' && c < 0x7F || isLineEnd(c) }

// Errors of Parse, ParseUnchecked and CheckEncrypted. Compare with errors.Is, because the returned errors have details such as both checksums
// or the number of the line.
var (
	// ErrChecksum: the checksum is wrong, or is not a number of up to four hexadecimal digits.
	ErrChecksum = errors.New("p1: checksum")
	// ErrTruncated: the end of the telegram is missing.
	ErrTruncated = errors.New("p1: truncated")
	// ErrMalformed: the telegram is not of the form of a P1 telegram. If the checksum is correct, only a missing identification line is an
	// ErrMalformed.
	ErrMalformed = errors.New("p1: malformed")
	// ErrEncrypted: the telegram is encrypted. SplitEncrypted returns its parts.
	ErrEncrypted = errors.New("p1: the telegram is encrypted")
)

var (
	errNoEnd         = kinderror.New(ErrTruncated, "p1: no '!' at the end: the telegram was cut off, or the next telegram begins within it")
	errNoChecksum    = kinderror.New(ErrTruncated, "p1: cut off after the '!': a meter with such time stamps sends a checksum, and the checksum is missing")
	errTooLong       = kinderror.New(ErrTruncated, "p1: no end after %d bytes", MaxLength)
	errNoHexChecksum = kinderror.New(ErrChecksum, "p1: what follows the '!' is not a checksum of hexadecimal digits")
	errNoIdent       = kinderror.New(ErrMalformed, "p1: no identification line")
	errNoData        = kinderror.New(ErrMalformed, "p1: no data in a telegram without checksum")
	errNotEncrypted  = kinderror.New(ErrMalformed, "p1: not an encrypted telegram")
)
