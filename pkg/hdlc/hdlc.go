// Package hdlc reads and writes the HDLC frames (format type 3) that carry COSEM data over a serial line. The source is
// IEC 62056-46.
//
//	7E | A0+length(11 bits) | destination | source | control | HCS | information | FCS | 7E
//
// HCS is the checksum of the header. FCS is the checksum of the header, the HCS and the information. Both checksums are CRC-16/X.25. There is
// no byte stuffing, so a frame can also contain a 7E that is not a flag. The end of a frame follows from its length field.
//
// Packages hdlc, mbus and p1 have the same three functions:
//
//   - Length returns the length of the frame at the beginning of a buffer. It does not verify the frame.
//   - Parse verifies and reads one frame.
//   - Append writes a frame.
//
// All lengths are in bytes. All functions are safe for concurrent use.
package hdlc

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/internal/crc16"
	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// Flag begins and ends a frame. One Flag can end a frame and begin the next frame.
const Flag = 0x7E

// MaxLength is the length of the longest frame, in bytes with both flags. The length field has 11 bits and does not count the flags.
const MaxLength = 1<<11 - 1 + 2

// Fields of the frame format (IEC 62056-46, 6.4.1.2).
const (
	formatType     = 0xA0 // type 3, in the high four bits
	segmentBit     = 0x08
	lengthBits     = 0x07
	maxAddress     = 4 // bytes
	checksumLength = 2 // bytes
	// minHeader is the length of format, the shortest addresses, control and HCS.
	minHeader = 2 + 1 + 1 + 1 + checksumLength
)

// crc is CRC-16/X.25: reflected polynomial 8408, start FFFF, inverted at the end, low byte first (IEC 62056-46, 6.5).
var crc = crc16.New(0x8408)

// Checksum returns the checksum of b. For the HCS, b is the header without the flag and the HCS. For the FCS, b is the frame without the flags
// and the FCS. In a frame, the low byte of a checksum is sent first.
func Checksum(b []byte) uint16 { return ^crc.Update(0xFFFF, b) }

// A Frame is one parsed frame. Its slices alias the bytes that were parsed.
type Frame struct {
	// Destination and Source are the addresses of 1 to 4 bytes, as they are sent. In the last byte of an address the lowest bit is 1, in the
	// bytes before it the lowest bit is 0.
	Destination, Source []byte
	// Control is the control field. Most meters push frames with 13 (hexadecimal), unnumbered information.
	Control byte
	// Segmented is true if the message continues in the next frame.
	Segmented bool
	// Info is the information field. In the first frame of a message it begins with the LLC header.
	Info []byte
}

// Errors of Parse. Each error of Parse matches one of these by errors.Is. Most texts have more details.
var (
	// ErrChecksum is for a wrong header or frame checksum, because bytes were changed on the way.
	ErrChecksum = errors.New("hdlc: wrong checksum")
	// ErrTruncated is for bytes that end before the frame does.
	ErrTruncated = errors.New("hdlc: truncated frame")
	// ErrMalformed is for bytes that are not exactly one frame of format type 3.
	ErrMalformed = errors.New("hdlc: not a frame of format type 3")
)

var errEndFlag = kinderror.New(ErrMalformed, "hdlc: no end flag at the length that the header says")

// Parse reads b, which must be exactly one frame with both flags. It returns a Frame only if all checksums are right. The Frame aliases b.
// Parse allocates nothing, except for an error. The error matches ErrChecksum, ErrTruncated or ErrMalformed.
func Parse(b []byte) (Frame, error) {
	h, headerLength := readHeader(b)
	switch {
	case headerLength < 0 || len(b) == 0:
		return Frame{}, ErrMalformed
	case headerLength > 0 && !h.valid():
		return Frame{}, kinderror.New(ErrChecksum, "hdlc: header checksum: want %04x, got %04x", h.want, h.got)
	case headerLength == 0:
		return Frame{}, kinderror.New(ErrTruncated, "hdlc: cut within the header, after %d bytes", len(b))
	case len(b) < h.frameLength:
		return Frame{}, kinderror.New(ErrTruncated, "hdlc: cut: %d of %d bytes", len(b), h.frameLength)
	}
	infoEnd := h.frameLength - 1
	if h.hasInformation { // only such a frame has an FCS
		infoEnd -= checksumLength
		want, got := Checksum(b[1:infoEnd]), readChecksum(b[infoEnd:])
		if want != got {
			return Frame{}, kinderror.New(ErrChecksum, "hdlc: frame checksum: want %04x, got %04x", want, got)
		}
	}
	if len(b) != h.frameLength || b[h.frameLength-1] != Flag {
		return Frame{}, errEndFlag
	}
	return Frame{
		Destination: b[destinationIndex:h.sourceIndex],
		Source:      b[h.sourceIndex:h.controlIndex],
		Control:     b[h.controlIndex],
		Segmented:   b[1]&segmentBit != 0,
		Info:        b[headerLength:infoEnd],
	}, nil
}

// Append appends the frame with its flags and checksums to dst and returns the extended slice. Append panics if an address is not of the form
// that the comment of Frame.Destination describes, or if the frame is longer than MaxLength.
func Append(dst []byte, f Frame) []byte {
	length := 2 + len(f.Destination) + len(f.Source) + 1 + checksumLength // without the flags
	if len(f.Info) > 0 {
		length += len(f.Info) + checksumLength
	}
	if length+2 > MaxLength || !isAddress(f.Destination) || !isAddress(f.Source) {
		panic(fmt.Sprintf("hdlc: no frame of %d bytes from % x to % x", length, f.Source, f.Destination))
	}
	format := byte(formatType | length>>8)
	if f.Segmented {
		format |= segmentBit
	}
	dst = append(dst, Flag, format, byte(length))
	start := len(dst) - 2
	dst = append(dst, f.Destination...)
	dst = append(dst, f.Source...)
	dst = append(dst, f.Control)
	dst = appendChecksum(dst, start)
	if len(f.Info) > 0 {
		dst = append(dst, f.Info...)
		dst = appendChecksum(dst, start)
	}
	return append(dst, Flag)
}

// appendChecksum appends the checksum of dst[start:].
func appendChecksum(dst []byte, start int) []byte {
	sum := Checksum(dst[start:])
	return append(dst, byte(sum), byte(sum>>8))
}

func readChecksum(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }

// isAddress reports whether a has 1 to 4 bytes, and the lowest bit is 1 only in the last byte.
func isAddress(a []byte) bool {
	for i, x := range a {
		if isLast := i == len(a)-1; isLast != (x&1 != 0) {
			return false
		}
	}
	return len(a) >= 1 && len(a) <= maxAddress
}
