// Package mbus reads and writes long frames of wired M-Bus. Austrian and Polish meters push DLMS messages in them, one segment of a
// message in each frame. The sources are EN 13757-2 (the frame, format FT 1.2 of IEC 60870-5-1) and EN 13757-3 (the segments).
//
//	68 | L | L | 68 | C | A | CI | STSAP | DTSAP | data | checksum | 16
//
// L is the length from C to the end of the data. There is no byte stuffing: a frame ends where L says. Its checksum is the
// sum of its bytes modulo 256. It detects fewer errors than a CRC: one of 256 frames with random errors passes.
//
// Three functions are enough for a stream, and they mean the same in the other packages of framings:
//
//   - Length returns how many bytes the frame at the start of a buffer takes. It does not verify the frame.
//   - Parse verifies and reads one whole frame.
//   - Append writes a frame.
//
// All lengths are in bytes. Nothing in this package keeps state, so that all of it is safe for concurrent use.
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
	// minContent and maxContent limit the bytes from C to the end of the data. EN 13757-2 allows 255 bytes. The Sagemcom T210-D
	// of older firmware sends up to 257 bytes with a right checksum, and L is the length modulo 256.
	minContent, maxContent = 3, 257
	lengthModulus          = 256
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

// A Frame is one parsed frame, which holds one segment of a message.
type Frame struct {
	// Control and Address are Push and Broadcast in frames that a meter pushes.
	Control, Address byte
	// Segment is the number of the segment in its message, from 0 to 15. Number 0 follows number 15.
	Segment byte
	// Final is true in the last segment of a message.
	Final bool
	// Source and Destination are the access points of the transport layer, 01 and 67 (hexadecimal) on customer ports.
	Source, Destination byte
	// Data is the segment's part of the message. It aliases the bytes that the frame was parsed from.
	Data []byte
}

// Checksum returns the checksum of a frame. b is its bytes from C to the end of the data.
func Checksum(b []byte) byte {
	var sum byte
	for _, x := range b {
		sum += x
	}
	return sum
}

// Append appends the frame with its checksum to dst and returns the extended slice. Parse reads it back. If Data has 251 or 252
// bytes, L is the length modulo 256, as the Sagemcom T210-D writes it. Append panics if Data has more than 252 bytes, if it has more
// than 250 and the frame is not a Push to Broadcast, or if Segment is above 15.
func Append(dst []byte, f Frame) []byte {
	length := dataIndex - controlIndex + len(f.Data)
	wrapped := length >= lengthModulus
	if length > maxContent || wrapped && (f.Control != Push || f.Address != Broadcast) || f.Segment > sequenceBits {
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

// Length returns the length of the frame that begins at b[0], in bytes up to the stop byte. It returns 0 if b does not hold the whole
// frame yet, and -1 if no frame begins at b[0]. A result other than 0 is final: bytes that follow do not change it. Length does not
// verify the frame; Parse does.
func Length(b []byte) int {
	n := announcedLength(b)
	if n > len(b) {
		return 0
	}
	return n
}

// ValidHeader reports whether b begins with the header of a frame that a meter pushes, up to the fields Push and Broadcast. The
// result true proves that a frame was sent, even if the rest of the frame is damaged or missing. Headers of other frames have too few
// fixed bytes to prove it.
func ValidHeader(b []byte) bool {
	return announcedLength(b) > 0 && len(b) > controlIndex+1 && isPush(b)
}

// announcedLength returns the length of the frame at b[0] as its header says. It returns 0 if b is too short to tell, and -1 if no
// frame begins there.
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
	if n < minContent { // a length modulo 256, which only pushing meters send
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

// Errors of Parse. Each error that it returns matches one of them by errors.Is, and says more in its text.
var (
	// ErrChecksum is for a wrong checksum: bytes were changed on the way.
	ErrChecksum = errors.New("mbus: wrong checksum")
	// ErrTruncated is for bytes that end before the frame does.
	ErrTruncated = errors.New("mbus: truncated frame")
	// ErrMalformed is for bytes that are not one long frame.
	ErrMalformed = errors.New("mbus: not a long frame")
	// ErrNotSegment is for an intact frame that is not a segment of a DLMS message, as water and heat meters send them.
	ErrNotSegment = errors.New("mbus: not a segment of a message")
)

var (
	errStop           = kinderror.New(ErrMalformed, "mbus: no 16 where the length says that the frame ends")
	errNoAccessPoints = kinderror.New(ErrNotSegment, "mbus: a long frame without the access points of a segment")
)

// Parse reads the one frame that b holds, as Length delimits it. It returns a Frame only if the checksum is right. The Frame's Data
// aliases b. Parse allocates nothing, except for an error, which matches ErrChecksum, ErrTruncated, ErrMalformed or ErrNotSegment.
func Parse(b []byte) (Frame, error) {
	n := announcedLength(b)
	switch {
	case n < 0 || len(b) == 0:
		return Frame{}, ErrMalformed
	case n == 0:
		return Frame{}, kinderror.New(ErrTruncated, "mbus: cut within the head, after %d bytes", len(b))
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
