// Package mbus reads and writes the long frames of wired M-Bus (EN 13757-2, IEC 60870-5-1 format FT 1.2) by which Austrian
// and Polish meters push DLMS messages, cut into segments (EN 13757-3, transport layer):
//
//	68 | L | L | 68 | C | A | CI | STSAP | DTSAP | data | checksum | 16
//
// L counts from C to the end of the data. There is no byte stuffing: a frame is found by its head and proved by its
// checksum, which is a sum of eight bits alone: two frames in a row are as good as one with a CRC.
package mbus

import (
	"errors"
	"fmt"

	"github.com/hanbridge/hanbridge/pkg/internal/kinderror"
)

// Start begins a frame, and stands a second time before what L counts.
const Start = 0x68

// MaxLength is the longest frame, in bytes from the first Start to the last byte.
const MaxLength = longest + overhead

const (
	stop = 0x16
	// overhead is what L does not count: 68 L L 68, the checksum and the stop byte.
	overhead = 6
	// body is the index of C, the first byte that L counts.
	body = 4
	// data is the index of the first byte behind C, A, CI and the two access points.
	data = 9
	// shortest and longest are what may stand from C to the end of the data, in bytes. EN 13757-2 ends at 255; the Sagemcom
	// T210-D of older firmware sends 257 and lets L wrap, with a right checksum over all of them.
	shortest, longest = 3, 257
	wrap              = 256
)

// What a meter's push has in its first two fields (SND-UD to all): the only one for which a wrapped L is believed.
const (
	Push      = 0x53 // of C
	Broadcast = 0xFF // of A
)

// Bits of CI where it is that of a segment.
const (
	finalBit     = 0x10
	sequenceBits = 0x0F
	segmentCI    = finalBit | sequenceBits // a CI beyond it says something else
)

// A Frame is one parsed frame, a segment of a message. Its Data belongs to the bytes it was parsed from.
type Frame struct {
	// Control and Address are Push and Broadcast where a meter sends by itself.
	Control, Address byte
	// Segment counts the segments of a message from 0 to 15; Final tells that this one is the last.
	Segment byte
	Final   bool
	// Source and Destination are the access points of the transport layer, 01 and 67 (hexadecimal) on customer ports.
	Source, Destination byte
	Data                []byte
}

// Checksum returns the sum of b, which goes from C to the end of the data.
func Checksum(b []byte) byte {
	var sum byte
	for _, x := range b {
		sum += x
	}
	return sum
}

// Append appends the frame with its checksum. Data of 251 and 252 bytes is written with a length that wraps, as the Sagemcom
// T210-D does. It panics on a programmer's fault: more data than that, data of that size in a frame that is no Push to
// Broadcast, or a Segment above 15.
func Append(dst []byte, f Frame) []byte {
	length := data - body + len(f.Data)
	wrapped := length >= wrap
	if length > longest || wrapped && (f.Control != Push || f.Address != Broadcast) || f.Segment > sequenceBits {
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

// Length returns how many bytes the frame that begins at b[0] takes: 0 when b does not hold its end yet, -1 when no frame
// begins there. More bytes behind b never change an answer other than 0.
func Length(b []byte) int {
	n := announced(b)
	if n > len(b) {
		return 0
	}
	return n
}

// ValidHeader tells if b begins as the frame of a meter that pushes does, by all bytes up to A: whatever follows, a frame was
// sent.
func ValidHeader(b []byte) bool { return announced(b) > 0 && len(b) > body+1 && pushed(b) }

// announced returns how long the frame at b[0] is by its head: 0 when b is too short to tell, -1 when there is none.
func announced(b []byte) int {
	switch {
	case len(b) > 0 && b[0] != Start,
		len(b) > 2 && b[1] != b[2],
		len(b) > 3 && b[3] != Start:
		return -1
	case len(b) < body:
		return 0
	}
	n := int(b[1])
	if n < shortest {
		n += wrap
		switch {
		case n > longest:
			return -1
		case len(b) < body+2:
			return maybe(b)
		case !pushed(b):
			return -1
		}
	}
	return n + overhead
}

// maybe tells whether a head that is cut before A may still be a push: 0, or -1 when it is none.
func maybe(b []byte) int {
	if len(b) > body && b[body] != Push {
		return -1
	}
	return 0
}

func pushed(b []byte) bool { return b[body] == Push && b[body+1] == Broadcast }

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

// Parse reads a frame as Length delimits it. The checksum is verified before anything is returned. A frame that is sound and
// no segment of a message, as water and heat meters send them, is an error.
func Parse(b []byte) (Frame, error) {
	n := announced(b)
	switch {
	case n < 0 || len(b) == 0:
		return Frame{}, ErrMalformed
	case n == 0:
		return Frame{}, kinderror.New(ErrTruncated, "mbus: cut within the head, after %d bytes", len(b))
	case len(b) < n:
		return Frame{}, kinderror.New(ErrTruncated, "mbus: cut: %d of %d bytes", len(b), n)
	}
	end := n - 2
	if want, got := Checksum(b[body:end]), b[end]; want != got {
		return Frame{}, kinderror.New(ErrChecksum, "mbus: checksum: want %02x, got %02x", want, got)
	}
	if len(b) != n || b[n-1] != stop {
		return Frame{}, errStop
	}
	if ci := b[body+2]; ci > segmentCI {
		return Frame{}, kinderror.New(ErrNotSegment, "mbus: control information %02x is not that of a segment", ci)
	}
	if end < data {
		return Frame{}, errNoAccessPoints
	}
	return Frame{
		Control:     b[body],
		Address:     b[body+1],
		Segment:     b[body+2] & sequenceBits,
		Final:       b[body+2]&finalBit != 0,
		Source:      b[body+3],
		Destination: b[body+4],
		Data:        b[data:end],
	}, nil
}
