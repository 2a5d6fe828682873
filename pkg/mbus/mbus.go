// Package mbus reads and writes long frames of wired M-Bus. Austrian and Polish meters push DLMS messages in them, one segment of a
// message in each frame. The sources are EN 13757-2 (the frame, format FT 1.2 of IEC 60870-5-1) and EN 13757-3 (the segments).
//
//	68 | L | L | 68 | C | A | CI | STSAP | DTSAP | data | checksum | 16
//
// L is the length from C to the end of the data. There is no byte stuffing, so the end of a frame follows from L. The checksum is the sum of
// the bytes from C to the end of the data, modulo 256. It detects fewer errors than a CRC: one of 256 frames with random errors has a right
// checksum.
//
// Packages hdlc, mbus and p1 have the same three functions:
//
//   - Length returns the length of the frame at the beginning of a buffer. It does not verify the frame.
//   - Parse verifies and reads one frame.
//   - Append writes a frame.
//
// All lengths are in bytes. All functions are safe for concurrent use.
package mbus

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// Start is the first and the fourth byte of a frame.
const Start = 0x68

// MaxLength is the length of the longest frame, in bytes from the first Start to the stop byte.
const MaxLength = maxContent + overhead

const (
	stop = 0x16
	// overhead is the length of the bytes that L does not count: 68 L L 68, the checksum and the stop byte.
	overhead = 6
	// controlIndex is the index of C, the first byte that L counts.
	controlIndex = 4
	// dataIndex is the index of the first byte of the data.
	dataIndex = 9
	// minContent and maxContent are the limits of the number of bytes from C to the end of the data. EN 13757-2 allows up to 255. The
	// Sagemcom T210-D with older firmware sends up to 257 bytes, with L modulo 256.
	minContent, maxContent = 3, 257
	lengthModulus          = 256 // L is the length modulo 256
)

const (
	// Push is the control field of a frame that a meter pushes: SND-UD.
	Push = 0x53
	// Broadcast is the address field of a frame that a meter pushes: all receivers.
	Broadcast = 0xFF
)

// Bits of the control information field (CI) of a segment.
const (
	finalBit     = 0x10
	sequenceBits = 0x0F
	maxSegmentCI = finalBit | sequenceBits // frames with a higher CI are not segments
)

// A Frame is one parsed frame with one segment of a message.
type Frame struct {
	// Control and Address are Push and Broadcast in frames that a meter pushes.
	Control, Address byte
	// Segment is the number of the segment in its message, from 0 to 15. Number 0 follows number 15.
	Segment byte
	// Final is true in the last segment of a message.
	Final bool
	// Source and Destination are the access points of the transport layer, 01 and 67 (hexadecimal) on customer ports.
	Source, Destination byte
	// Data is the segment's part of the message. It aliases the bytes that were parsed.
	Data []byte
}

// Checksum returns the checksum of a frame. b is the frame from C to the end of the data.
func Checksum(b []byte) byte {
	var sum byte
	for _, x := range b {
		sum += x
	}
	return sum
}

// Append appends the frame with its checksum to dst and returns the extended slice. If Data has 251 or 252 bytes, L is the length modulo
// 256, as the Sagemcom T210-D writes it. Append panics if Data has more than 252 bytes, or more than 250 bytes in a frame that is not a Push
// to Broadcast. It also panics if Segment is above 15.
func Append(dst []byte, f Frame) []byte {
	length := dataIndex - controlIndex + len(f.Data)
	isPush := f.Control == Push && f.Address == Broadcast
	overflows := length >= lengthModulus
	if length > maxContent || overflows && !isPush || f.Segment > sequenceBits {
		panic(fmt.Sprintf("mbus: no frame of %d bytes, control %02x, address %02x, segment %d", length, f.Control, f.Address, f.Segment))
	}
	ci := f.Segment
	if f.Final {
		ci |= finalBit
	}
	dst = append(dst, Start, byte(length), byte(length), Start)
	start := len(dst)
	dst = append(dst, f.Control, f.Address, ci, f.Source, f.Destination)
	dst = append(dst, f.Data...)
	return append(dst, Checksum(dst[start:]), stop)
}

// Length returns the length of the frame that begins at b[0], in bytes with the stop byte. It returns 0 if b ends before the frame ends, and -1
// if no frame begins at b[0]. A result other than 0 stays the same if more bytes are appended to b. Length does not verify the frame.
func Length(b []byte) int {
	n := announcedLength(b)
	if n > len(b) {
		return 0
	}
	return n
}

// ValidHeader reports whether b begins with the header of a frame that a meter pushes, up to the fields C (Push) and A (Broadcast). The rest of
// the frame can be damaged or missing. ValidHeader returns false for headers of other frames, because random bytes resemble such a header too often.
func ValidHeader(b []byte) bool {
	return announcedLength(b) > 0 && len(b) > controlIndex+1 && isPush(b)
}

// announcedLength returns the length of the frame at b[0] as its header says. It returns 0 if b has too few bytes of the header, and -1 if no
// frame begins at b[0].
func announcedLength(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != Start,
		len(b) > 2 && b[1] != b[2],
		len(b) > 3 && b[3] != Start:
		return -1
	case len(b) < controlIndex:
		return 0
	}
	n := int(b[1])
	if n < minContent { // the length is 256 or more; only meters that push send such frames
		n += lengthModulus
		switch {
		case n > maxContent, len(b) > controlIndex && b[controlIndex] != Push:
			return -1
		case len(b) < controlIndex+2:
			return 0
		case !isPush(b):
			return -1
		}
	}
	return n + overhead
}

func isPush(b []byte) bool { return b[controlIndex] == Push && b[controlIndex+1] == Broadcast }

// Errors of Parse. Each error of Parse matches one of these by errors.Is. Most texts have more details.
var (
	// ErrChecksum is for a wrong checksum, because bytes were changed on the way.
	ErrChecksum = errors.New("mbus: wrong checksum")
	// ErrTruncated is for bytes that end before the frame does.
	ErrTruncated = errors.New("mbus: truncated frame")
	// ErrMalformed is for bytes that are not exactly one long frame.
	ErrMalformed = errors.New("mbus: not a long frame")
	// ErrNotSegment is for an intact frame that is not a segment of a DLMS message. Water and heat meters send such frames.
	ErrNotSegment = errors.New("mbus: not a segment of a message")
)

var (
	errStop           = kinderror.New(ErrMalformed, "mbus: no stop byte (16) at the length that the header says")
	errNoAccessPoints = kinderror.New(ErrNotSegment, "mbus: a long frame without the access points of a segment")
)

// Parse reads b, which must be exactly one frame. It returns a Frame only if the checksum is right. The Frame's Data aliases b. Parse
// allocates nothing, except for an error. The error matches ErrChecksum, ErrTruncated, ErrMalformed or ErrNotSegment.
func Parse(b []byte) (Frame, error) {
	n := announcedLength(b)
	switch {
	case n < 0 || len(b) == 0:
		return Frame{}, ErrMalformed
	case n == 0:
		return Frame{}, kinderror.New(ErrTruncated, "mbus: cut within the header, after %d bytes", len(b))
	case len(b) < n:
		return Frame{}, kinderror.New(ErrTruncated, "mbus: cut: %d of %d bytes", len(b), n)
	}
	end := n - 2
	if want, got := Checksum(b[controlIndex:end]), b[end]; want != got {
		return Frame{}, kinderror.New(ErrChecksum, "mbus: checksum: want %02x, got %02x", want, got)
	}
	if len(b) != n || b[n-1] != stop {
		return Frame{}, errStop
	}
	if ci := b[controlIndex+2]; ci > maxSegmentCI {
		return Frame{}, kinderror.New(ErrNotSegment, "mbus: control information %02x is not that of a segment", ci)
	}
	if end < dataIndex {
		return Frame{}, errNoAccessPoints
	}
	return Frame{
		Control:     b[controlIndex],
		Address:     b[controlIndex+1],
		Segment:     b[controlIndex+2] & sequenceBits,
		Final:       b[controlIndex+2]&finalBit != 0,
		Source:      b[controlIndex+3],
		Destination: b[controlIndex+4],
		Data:        b[dataIndex:end],
	}, nil
}
