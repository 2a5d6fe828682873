package meter_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// bitSteps is the distance in bits between two flipped bits. It is small for one family of each framing, joining and encryption. For all other
// families it is 97.
var bitSteps = map[string]int{
	"aidon-no2": 1, "p1-se-aidon": 3, "iskra-ch": 3, "landisgyr-ch": 3, "kaifa-at": 3, "landisgyr-at": 1, "p1-at-est5": 5, "p1-pl": 5,
}

// TestBitFlips tests that a telegram with one flipped bit gives the right values or no reading. The telegrams before and after it must be read.
func TestBitFlips(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			a, b := twoTelegrams(t, f.Name)
			step := cmp.Or(bitSteps[f.Name], 97)
			for bit := 0; bit < 8*len(a.wire); bit += step {
				flipped := []byte(a.wire)
				flipped[bit/8] ^= 1 << (bit % 8)
				checkFlip(t, bit, a, b, string(flipped))
				if a.wire[0] == '~' && bit/8 < len(a.wire)-1 && bit%4 == 0 { // the frame shares a flag with the next frame
					checkFlip(t, bit, a, b, string(flipped[:len(flipped)-1]))
				}
			}
		})
	}
}

// checkFlip decodes a stream of b, flipped and b. flipped is telegram a with the given bit flipped.
func checkFlip(t *testing.T, bit int, a, b sentTelegram, flipped string) {
	t.Helper()
	firstRead, lastRead := false, false
	stream := b.wire + flipped + b.wire
	for _, o := range readings(outcomes(t, strings.NewReader(stream))) {
		switch {
		case o.Text == b.text && o.Offset == 0:
			firstRead = true
		case o.Text == b.text && o.Offset == int64(len(stream)-len(b.wire)) && o.Checked == b.checked:
			lastRead = true
		case withoutFraming(o.Text) == withoutFraming(a.text) && (o.Checked || !a.checked):
		case a.wire[0] == '/' && !a.checked && !o.Checked: // a telegram without a checksum: the reading is not verified
		default:
			t.Fatalf("bit %d of byte %d flipped: got a reading that was not sent, checked %v: %s", bit%8, bit/8, o.Checked, o.Text)
		}
	}
	if !firstRead || !lastRead {
		t.Fatalf("bit %d of byte %d flipped: got the telegram before: %v, the telegram after: %v; want both", bit%8, bit/8, firstRead, lastRead)
	}
}

// withoutFraming returns a text of describe without its first word, the protocol. The protocol can differ, because an encrypted message with a
// tag is also read from a damaged frame.
func withoutFraming(text string) string {
	_, rest, _ := strings.Cut(text, " ")
	return rest
}
