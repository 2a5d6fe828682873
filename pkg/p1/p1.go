// Package p1 reads and writes the ASCII telegrams of a P1 port: IEC 62056-21 mode D with the checksum of DSMR P1, as the
// Swedish branch recommendation 2.0, the Finnish SK 13-1, DSMR 4 and 5 and their relatives use it, and the telegrams without
// one of DSMR 2.2, DSMR 3.0 and Iskraemeco.
//
//	/ADN9 6534 CR LF CR LF 1-0:1.7.0(0000.345*kW) CR LF … !6BB0 CR LF
package p1

import (
	"fmt"
	"math/bits"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
)

// MaxLength is the longest telegram that is waited for, in bytes. The longest known ones stay below 4 kB.
const MaxLength = 8192

// checksums is CRC-16/ARC: reflected polynomial A001, start 0 (P1 Companion Standard 5.0.2, 6.2).
var arcTable = crc16.New(0xA001)

// Checksum returns the CRC-16/ARC of b. A telegram's is taken from its '/' to its '!', both included.
func Checksum(b []byte) uint16 { return arcTable.Update(0, b) }

func isHex(x byte) bool {
	return x-'0' <= 9 || (x|0x20)-'a' <= 5
}

func isLineEnd(x byte) bool { return x == '\r' || x == '\n' }

// Append appends a telegram with its checksum: text goes from the '/' to the '!', both included, with CR LF at the ends of its lines.
func Append(dst, text []byte) []byte {
	return appendChecksum(append(dst, text...), Checksum(text))
}

// AppendEncrypted appends an encrypted telegram with its checksum to dst. ident is the identification line without '/' and line end;
// body is as SplitEncrypted returns it.
func AppendEncrypted(dst []byte, ident string, body []byte) []byte {
	start := len(dst)
	dst = append(append(append(dst, '/'), ident...), emptyLine...)
	dst = append(append(dst, body...), '!')
	return appendChecksum(dst, x25Checksum(dst[start:]))
}

func appendChecksum(dst []byte, sum uint16) []byte {
	return fmt.Appendf(dst, "%04X\r\n", sum)
}

// StripParity makes text of the bytes of a line of 7 data bits and even parity that is read as 8 data bits without parity (DSMR 2.2
// and 3.0, Slovenian meters: 7E1): it copies src to dst without bit 7, up to the first byte that is odd in all its bits
// or no character of a telegram, and returns how many it copied, at most len(dst). The '/' of such a line arrives as AF. dst
// may be src.
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
