package simulate

import (
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// An encoder appends what a state is in bytes: an APDU, or a whole telegram as it stands on the wire.
type encoder func(dst []byte, s *State) []byte

// A frame is how a make sends APDUs in HDLC.
type frame struct {
	destination, source string
	control             byte
	// segment is the longest part, in bytes, of an APDU that goes over several frames (IEC 62056-46, 6.4.2); block the same
	// for those that cut it by general-block-transfer. 0: the make sends it in one.
	segment, block int
}

// Control fields: unnumbered information, and such a frame with more to come.
const (
	controlUI      = 0x13
	controlSegment = 0x03
)

// carry is the encoder of the frames around what e encodes.
func (f frame) carry(e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		apdu := e(nil, s)
		switch {
		case f.block > 0:
			return f.appendBlocks(dst, apdu)
		case f.segment > 0:
			return f.appendSegments(dst, apdu)
		}
		return f.append(dst, f.control, false, append([]byte(dlms.LLC), apdu...))
	}
}

func (f frame) append(dst []byte, control byte, more bool, info []byte) []byte {
	return hdlc.Append(dst, hdlc.Frame{
		Destination: []byte(f.destination), Source: []byte(f.source), Control: control, Segmented: more, Info: info,
	})
}

// appendSegments counts the LLC header to the first part.
func (f frame) appendSegments(dst, apdu []byte) []byte {
	rest := append([]byte(dlms.LLC), apdu...)
	for ; len(rest) > f.segment; rest = rest[f.segment:] {
		dst = f.append(dst, controlSegment, true, rest[:f.segment])
	}
	return f.append(dst, f.control, false, rest)
}

// appendBlocks sends the LLC header with the first block alone, which is shorter by that.
func (f frame) appendBlocks(dst, apdu []byte) []byte {
	header := dlms.LLC
	for number := uint16(1); ; number++ {
		n := min(f.block-len(header), len(apdu))
		last := n == len(apdu)
		info := dlms.AppendBlock([]byte(header), dlms.Block{Last: last, Number: number, Data: apdu[:n]})
		dst = f.append(dst, f.control, false, info)
		if last {
			return dst
		}
		apdu, header = apdu[n:], ""
	}
}

// wired is the encoder of the M-Bus frames around what e encodes, each with so many bytes of it at most.
func wired(size int, e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		apdu := e(nil, s)
		for segment := byte(0); ; segment++ {
			n := min(size, len(apdu))
			last := n == len(apdu)
			dst = mbus.Append(dst, mbus.Frame{
				Control: mbus.Push, Address: mbus.Broadcast, Segment: segment, Final: last,
				Source: 0x01, Destination: 0x67, Data: apdu[:n],
			})
			if last {
				return dst
			}
			apdu = apdu[n:]
		}
	}
}

// Sizes of M-Bus segments, in bytes: of frames that say FA, and of those of older Sagemcom meters, which say 01.
const (
	segmentFA = 245
	segment01 = 252
)

// wide writes the length of a ciphered APDU in two bytes where one would do, as Kamstrup meters write it (82 00 E7).
func wide(e encoder) encoder {
	const at = 2 + 8 // behind tag and title
	return func(dst []byte, s *State) []byte {
		apdu := e(nil, s)
		if apdu[at] != 0x81 {
			return append(dst, apdu...)
		}
		dst = append(append(dst, apdu[:at]...), 0x82, 0)
		return append(dst, apdu[at+1:]...)
	}
}
