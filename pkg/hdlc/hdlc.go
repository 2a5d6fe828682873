// Package hdlc reads and writes the HDLC frames (format type 3) that carry COSEM data over a serial line: IEC 62056-46.
//
//	7E | A0+length(11 bits) | destination | source | control | HCS | information | FCS | 7E
//
// There is no byte stuffing: a 7E may stand anywhere inside, so that a frame is found by its length and proved by its
// checksums, never by its flags.
package hdlc

import "github.com/hanbridge/hanbridge/pkg/internal/crc16"

// Flag begins and ends a frame. One Flag may end a frame and begin the next.
const Flag = 0x7E

// MaxLength is the longest frame, in bytes with both flags: the length field has 11 bits.
const MaxLength = 1<<11 - 1 + 2

// Fields of the frame format (IEC 62056-46, 6.4.1.2).
const (
	formatType  = 0xA0 // type 3, in the high four bits
	segmentBit  = 0x08
	lengthBits  = 0x07
	maxAddress  = 4 // bytes; the last has its lowest bit set
	checkLength = 2
	// minHeader is format, the shortest addresses, control and HCS.
	minHeader = 2 + 1 + 1 + 1 + checkLength
)

// checksums is CRC-16/X.25: reflected polynomial 8408, start FFFF, inverted at the end, low byte first (6.5).
var checksums = crc16.New(0x8408)

// Checksum returns the HCS or FCS of b.
func Checksum(b []byte) uint16 { return ^checksums.Update(0xFFFF, b) }

// A Frame is one parsed frame. Its slices belong to the bytes it was parsed from.
type Frame struct {
	// Destination and Source are the addresses as they stand on the wire, 1 to 4 bytes.
	Destination, Source []byte
	// Control is 13 (hexadecimal) for unnumbered information.
	Control byte
	// Segmented tells that the message goes on in the next frame.
	Segmented bool
	// Info is the information field, with the LLC header in the first frame of a message.
	Info []byte
}
