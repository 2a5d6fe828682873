package simulate

import (
	"cmp"
	"slices"

	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// An encoder appends the bytes that show a state: an APDU, or a telegram with its frames.
type encoder func(dst []byte, s *State) []byte

// A frame says how a manufacturer puts APDUs into HDLC frames.
type frame struct {
	destination, source string
	control             byte
	// segment is how many bytes of an APDU one frame has, if the manufacturer cuts APDUs into HDLC segments (IEC 62056-46, 6.4.2). block is
	// how many bytes one frame has, if the manufacturer uses general-block-transfer. If both are 0, the APDU is sent in one frame.
	segment, block int
}

// HDLC control fields of unnumbered information.
const (
	controlUI      = 0x13 // in the last segment of an APDU, or in its only frame
	controlSegment = 0x03 // in the segments before the last
)

// wrap returns an encoder of the HDLC frames around the APDU of e. The first frame has the LLC header.
func (f frame) wrap(e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		message := append([]byte(dlms.LLC), e(nil, s)...)
		parts := slices.Collect(slices.Chunk(message, cmp.Or(f.segment, f.block, len(message))))
		for i, part := range parts {
			isLast := i == len(parts)-1
			out := hdlc.Frame{Destination: []byte(f.destination), Source: []byte(f.source), Control: f.control, Info: part}
			switch {
			case f.block > 0: // the first frame has the LLC header before its block
				header := ""
				if i == 0 {
					header = dlms.LLC
				}
				out.Info = dlms.AppendBlock([]byte(header), dlms.Block{Last: isLast, Number: uint16(i + 1), Data: part[len(header):]})
			case !isLast:
				out.Control, out.Segmented = controlSegment, true
			}
			dst = hdlc.Append(dst, out)
		}
		return dst
	}
}

// mbusFrames returns an encoder of the M-Bus frames around the APDU of e. Each frame has at most size bytes of the APDU.
func mbusFrames(size int, e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		parts := slices.Collect(slices.Chunk(e(nil, s), size))
		for i, part := range parts {
			dst = mbus.Append(dst, mbus.Frame{
				Control: mbus.Push, Address: mbus.Broadcast, Segment: byte(i), Final: i == len(parts)-1,
				Source: 0x01, Destination: 0x67, Data: part,
			})
		}
		return dst
	}
}

// Sizes of M-Bus segments in bytes.
const (
	segmentFA = 245 // the length field of the frame is FA
	segment01 = 252 // older Sagemcom meters: the length field of the frame overflows to 01
)

// twoByteLength returns an encoder that writes the length of e's encrypted APDU in two bytes, even if one byte is enough. Kamstrup meters
// write 82 00 E7 instead of 81 E7, for example. The length must be above 7F, because a shorter length has no 81 before it.
func twoByteLength(e encoder) encoder {
	const lengthIndex = 2 + 8 // after the tag, the length byte of the system title, and the 8 bytes of the system title
	return func(dst []byte, s *State) []byte {
		apdu := e(nil, s)
		if apdu[lengthIndex] != 0x81 { // 0x82: the length has two bytes already
			return append(dst, apdu...)
		}
		dst = append(append(dst, apdu[:lengthIndex]...), 0x82, 0)
		return append(dst, apdu[lengthIndex+1:]...)
	}
}

// The keys of every simulated meter that encrypts, in hexadecimal, as dlms.ParseKeys reads them. They are public and protect nothing.
const (
	EncryptionKey     = "000102030405060708090A0B0C0D0E0F"
	AuthenticationKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
)

// Key returns a new dlms.Key of EncryptionKey and AuthenticationKey, which belongs to the caller.
func Key() *dlms.Key { return mustKey(EncryptionKey, AuthenticationKey) }

// Values of Family.Cipher: security control bytes (IEC 62056-5-3, 9.2.4.7).
const (
	encrypted       = 0x20 // without an authentication tag
	encryptedSuite1 = 0x21 // without an authentication tag, security suite 1
	authenticated   = 0x30 // with an authentication tag
)

func mustKey(encryption, authentication string) *dlms.Key {
	return must(dlms.ParseKeys(encryption + " " + authentication))[0]
}

// gloCiphering returns an encoder that encrypts e's APDU as general-glo-ciphering. title is the system title, security is the security
// control byte.
func gloCiphering(title string, security byte, e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendCiphered(dst, keyOf(s), []byte(title), security, frameCounter(s), e(nil, s))
	}
}

// keyOf returns the key that encrypts the telegram of a state. It is a new key, because a Key is not safe for concurrent use.
func keyOf(s *State) *dlms.Key {
	if s.wrongKey {
		return mustKey(AuthenticationKey, EncryptionKey)
	}
	return Key()
}

// frameCounter returns the frame counter of a telegram: the seconds since 2020.
func frameCounter(s *State) uint32 {
	const start = 1_577_836_800 // 2020
	return uint32(s.Time.Unix() - start)
}
