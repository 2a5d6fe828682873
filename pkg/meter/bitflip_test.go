package meter_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// bitSteps has families of which more bits are tested: every bit, every third or every fifth. These families use each framing, each way of sending
// a message in parts, and each encryption. Of other families, every 97th bit is tested, because more takes too long.
var bitSteps = map[string]int{
	"aidon-no2": 1, "p1-se-aidon": 3, "iskra-ch": 3, "landisgyr-ch": 3, "kaifa-at": 3, "landisgyr-at": 1, "p1-at-est5": 5, "p1-pl": 5,
}

// TestBitFlips tests that a telegram with one flipped bit gives the right values or no reading. Only an ASCII telegram without a checksum can give
// wrong values. The telegrams before and after the flipped telegram must be read.
func TestBitFlips(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			a, b := twoTelegrams(t, f.Name)
			step := cmp.Or(bitSteps[f.Name], 97)
			for bit := 0; bit < 8*len(a.bytes); bit += step {
				flipped := []byte(a.bytes)
				flipped[bit/8] ^= 1 << (bit % 8)
				checkFlip(t, bit, a, b, string(flipped))
				isHDLC, inLastFlag := a.bytes[0] == '~', bit/8 == len(a.bytes)-1
				if isHDLC && !inLastFlag && bit%4 == 0 { // for a fourth of the bits, also without the last flag: two frames then share one flag
					checkFlip(t, bit, a, b, string(flipped[:len(flipped)-1]))
				}
			}
		})
	}
}

// checkFlip decodes a stream of b, flipped and b. flipped is telegram a with the given bit flipped.
func checkFlip(t *testing.T, bit int, a, b sentTelegram, flipped string) {
	t.Helper()
	beforeRead, afterRead := false, false // the telegrams before and after the flipped telegram
	stream := b.bytes + flipped + b.bytes
	for _, o := range readings(outcomes(t, strings.NewReader(stream))) {
		switch {
		case o.Text == b.content && o.Offset == 0:
			beforeRead = true
		case o.Text == b.content && o.Offset == int64(len(stream)-len(b.bytes)) && o.Checked == b.checked:
			afterRead = true
		case withoutFraming(o.Text) == withoutFraming(a.content) && (o.Checked || !a.checked): // the content of a
		case a.bytes[0] == '/' && !a.checked && !o.Checked: // an ASCII telegram without a checksum: its values are possibly wrong
		default:
			t.Fatalf("bit %d of byte %d flipped: got a reading that was not sent, checked %v: %s", bit%8, bit/8, o.Checked, o.Text)
		}
	}
	if !beforeRead || !afterRead {
		t.Fatalf("bit %d of byte %d flipped: got the telegram before: %v, the telegram after: %v; want both", bit%8, bit/8, beforeRead, afterRead)
	}
}

// withoutFraming returns the content of a reading, as describe returns it, without its first word, the protocol. The protocol differs if an
// encrypted message with a tag is read without the damaged frame around it.
func withoutFraming(content string) string {
	_, rest, _ := strings.Cut(content, " ")
	return rest
}
