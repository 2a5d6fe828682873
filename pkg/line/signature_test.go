package line_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// Pieces are bytes that many telegrams contain: textPieces are in ASCII telegrams, binaryPieces in HDLC, M-Bus and DLMS.
var (
	textPieces = []string{
		"0*kW)\r\n1-0:", "*kWh)\r\n1-0:", "*V)\r\n1-0:", "\r\n0-0:96.1", "1-0:1.8.0(0", "1.7.0(0000", ".7.0(00", ")\r\n1-0:2",
		")\r\n1-0:4", "1-0:32.7.0(2",
	}
	binaryPieces = []string{
		"\x7E\xA0\x84\xCE\xFF\x03", "\x7E\xA1\xE9\x41\x03\x13", "\xCE\xFF\x03\x13", "\xCF\x02\x23\x13", "\xCF\x02\x23\x03", "\x41\x08\x83\x13",
		"\xE6\xE7\x00\x0F\x40\x00\x00\x00", "\xE6\xE7\x00\x0F\x00\x00\x00\x00", "\xE6\xE7\x00\xE0\x40\x00\x01\x00\x00", "\xE6\xE7\x00\xDB\x08",
		"\xDB\x08\x4C\x47\x5A", "\xDB\x08\x4B\x41\x4D\x45", "\xDB\x08\x53\x41\x47",
		"\x09\x06\x01\x00\x01\x07\x00\xFF", "\x09\x06\x01\x01\x01\x07\x00\xFF", "\x02\x02\x09\x06\x01\x00", "\x02\x03\x09\x06\x01\x00",
		"\x02\x02\x0F\x00\x16\x1B", "\x01\x00\x01\x08\x00\xFF\x06\x00", "\x01\x00\x02\x07\x00\xFF\x06\x00\x00", "\x07\x00\xFF\x06\x00\x00\x00\x00",
		"\x68\x53\xFF\x00\x01\x67\xDB\x08", "\x68\x53\xFF\x11\x01\x67",
	}
)

// TestSignatures: a receiver with a fault reads each signature of this fault in place of one of the pieces. A receiver with the other fault never
// reads the signature, and no meter sends the signature.
func TestSignatures(t *testing.T) {
	inverted, parity := distorted(true), distorted(false)
	sent := map[uint32]bool{}
	for _, f := range simulate.Families() {
		addWords(sent, slices.Concat(telegrams(t, f.Name, 30)...))
	}
	for _, table := range []struct {
		name       string
		signatures []uint32
		withFault  map[uint32]bool // what a receiver with the fault reads
		otherFault map[uint32]bool // what a receiver with the other fault reads
	}{
		{"inverted", line.InvertedSignatures, inverted, parity},
		{"parity", line.ParitySignatures, parity, inverted},
	} {
		for _, s := range table.signatures {
			if !table.withFault[s] || table.otherFault[s] || sent[s] {
				t.Errorf("%s signature %08X: read with its fault %v, read with the other fault %v, sent by a meter %v; want true, false, false",
					table.name, s, table.withFault[s], table.otherFault[s], sent[s])
			}
		}
		if sorted := slices.Clone(table.signatures); !slices.IsSorted(sorted) || len(slices.Compact(sorted)) < len(table.signatures) {
			t.Errorf("%s signatures are not sorted, or have duplicates", table.name)
		}
	}
}

// distorted returns all groups of four bytes that a receiver reads in place of the pieces, for all formats of sender and receiver. If inverted is
// true, the receiver is inverted. Otherwise the receiver has another parity or number of data bits than the sender.
func distorted(inverted bool) map[uint32]bool {
	words := map[uint32]bool{}
	formats := []simulate.LineSetting{
		{Baud: 2400, DataBits: 8, Parity: 'N', StopBits: 1}, {Baud: 2400, DataBits: 8, Parity: 'E', StopBits: 1},
		{Baud: 2400, DataBits: 7, Parity: 'E', StopBits: 1},
	}
	for _, receiver := range formats {
		for _, sender := range formats {
			for _, waitsForIdle := range []bool{false, true} {
				receiver.Inverted, receiver.WaitsForIdle = inverted, waitsForIdle
				if sender == receiver {
					continue
				}
				addPieces(words, textPieces, "0123456789.*()kW0000", sender, receiver)
				if sender.DataBits == 8 {
					addPieces(words, binaryPieces, "\x00\x00\x00\x00\x00\x00\x00\x01\x02\x09\x41\x5A\x77\x93\xB4\xD8\xFF", sender, receiver)
				}
			}
		}
	}
	return words
}

// addPieces adds the groups of four bytes that the receiver reads in place of each piece, with random bytes of the alphabet before and after
// the piece. A character that the alphabet has several times is more frequent.
func addPieces(words map[uint32]bool, pieces []string, alphabet string, sender, receiver simulate.LineSetting) {
	x := uint64(1) // the state of a random number generator
	appendRandom := func(b []byte, n int) []byte {
		for range n {
			x = x*6364136223846793005 + 1442695040888963407
			b = append(b, alphabet[x>>33%uint64(len(alphabet))])
		}
		return b
	}
	for _, piece := range pieces {
		for range 150 {
			addWords(words, sender.ReceivedBy(nil, appendRandom(append(appendRandom(nil, 12), piece...), 8), receiver))
		}
	}
}

// addWords adds each group of four successive bytes of b.
func addWords(words map[uint32]bool, b []byte) {
	for ; len(b) >= 4; b = b[1:] {
		words[binary.BigEndian.Uint32(b)] = true
	}
}
