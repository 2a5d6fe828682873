package simulate

import (
	"cmp"
	"slices"

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

// carry is the encoder of the frames around what e encodes, with the LLC header in the first one.
func (f frame) carry(e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		message := append([]byte(dlms.LLC), e(nil, s)...)
		parts := slices.Collect(slices.Chunk(message, cmp.Or(f.segment, f.block, len(message))))
		for i, part := range parts {
			last := i == len(parts)-1
			frame := hdlc.Frame{Destination: []byte(f.destination), Source: []byte(f.source), Control: f.control, Info: part}
			switch {
			case f.block > 0:
				header := ""
				if i == 0 {
					header = dlms.LLC
				}
				frame.Info = dlms.AppendBlock([]byte(header), dlms.Block{Last: last, Number: uint16(i + 1), Data: part[len(header):]})
			case !last:
				frame.Control, frame.Segmented = controlSegment, true
			}
			dst = hdlc.Append(dst, frame)
		}
		return dst
	}
}

// wired is the encoder of the M-Bus frames around what e encodes, each with so many bytes of it at most.
func wired(size int, e encoder) encoder {
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

// The keys of every simulated meter that encrypts, as `decode --key` and `--auth-key` take them. They are public.
const (
	EncryptionKey     = "000102030405060708090A0B0C0D0E0F"
	AuthenticationKey = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
)

// Key returns the keys above, ready for use. It is the caller's own.
func Key() *dlms.Key { return mustKey(EncryptionKey, AuthenticationKey) }

// Ciphers of Family.Cipher: the security control byte of the messages (IEC 62056-5-3, 9.2.4.7).
const (
	encrypted     = 0x20 // no tag: nothing proves a telegram
	encryptedOne  = 0x21 // the same, of security suite 1
	authenticated = 0x30 // with a tag
)

func mustKey(encryption, authentication string) *dlms.Key {
	return must(dlms.ParseKeys(encryption + " " + authentication))[0]
}

// sealed is the encoder of the general-glo-ciphering of what e encodes. A State that says so is sealed with another key.
func sealed(title string, security byte, e encoder) encoder {
	return func(dst []byte, s *State) []byte {
		return dlms.AppendCiphered(dst, keyOf(s), []byte(title), security, frameCounter(s), e(nil, s))
	}
}

// keyOf returns the key that the meter uses. A Key is not safe for concurrent use, so that each telegram has its own.
func keyOf(s *State) *dlms.Key {
	if s.wrongKey {
		return mustKey(AuthenticationKey, EncryptionKey)
	}
	return Key()
}

// frameCounter counts seconds, so that it rises with each telegram of a meter.
func frameCounter(s *State) uint32 {
	const start = 1_577_836_800 // 2020
	return uint32(s.Time.Unix() - start)
}
