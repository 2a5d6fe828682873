package meter_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// bitSteps is the distance in bits from one flipped bit to the next, for families that stand for a way to frame, join or encrypt. It
// is 97 for all others.
var bitSteps = map[string]int{
	"aidon-no2": 1, "p1-se-aidon": 3, "iskra-ch": 3, "landisgyr-ch": 3, "kaifa-at": 3, "landisgyr-at": 1, "p1-at-est5": 5, "p1-pl": 5,
}

// TestBitFlips tests that a telegram with one flipped bit gives the right values or none, and the good telegrams before and behind it are found.
func TestBitFlips(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			a, b := twoTelegrams(t, f.Name)
			step := cmp.Or(bitSteps[f.Name], 97)
			for bit := 0; bit < 8*len(a.wire); bit += step {
				flipped := []byte(a.wire)
				flipped[bit/8] ^= 1 << (bit % 8)
				checkFlip(t, bit, a, b, string(flipped))
				if a.wire[0] == '~' && bit/8 < len(a.wire)-1 && bit%4 == 0 { // one flag between it and the next
					checkFlip(t, bit, a, b, string(flipped[:len(flipped)-1]))
				}
			}
		})
	}
}

// checkFlip decodes b, then a with a flipped bit, then b.
func checkFlip(t *testing.T, bit int, a, b sentTelegram, flipped string) {
	t.Helper()
	before, behind := false, false
	stream := b.wire + flipped + b.wire
	for _, o := range readings(outcomes(t, strings.NewReader(stream))) {
		switch {
		case o.Text == b.text && o.Offset == 0:
			before = true
		case o.Text == b.text && o.Offset == int64(len(stream)-len(b.wire)) && o.Checked == b.checked:
			behind = true
		case withoutFraming(o.Text) == withoutFraming(a.text) && (o.Checked || !a.checked):
		case a.wire[0] == '/' && !a.checked && !o.Checked: // it has no checksum, and is not verified
		default:
			t.Fatalf("bit %d of byte %d flipped: checked %v, a reading that was not sent: %s", bit%8, bit/8, o.Checked, o.Text)
		}
	}
	if !before || !behind {
		t.Fatalf("bit %d of byte %d flipped: the telegram before it is found: %v; behind it: %v", bit%8, bit/8, before, behind)
	}
}

// withoutFraming returns the text of describe without the protocol, which is the first word: an encrypted message with a tag is also
// read within a damaged frame.
func withoutFraming(text string) string {
	_, rest, _ := strings.Cut(text, " ")
	return rest
}
