package meter_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// steps are how many bits are passed over in families that stand for a way to frame, join or encrypt. Of all others it is a bit
// of every twelfth byte.
var steps = map[string]int{
	"aidon-no2": 1, "p1-se-aidon": 3, "iskra-ch": 3, "landisgyr-ch": 3, "kaifa-at": 3, "landisgyr-at": 1, "p1-at-est5": 5, "p1-pl": 5,
}

// TestEveryFlip: whatever single bit of a telegram is flipped, it gives the right values or none, and the good telegrams
// before and behind it are found.
func TestEveryFlip(t *testing.T) {
	for _, f := range simulate.Families() {
		t.Run(f.Name, func(t *testing.T) {
			a, b := of(t, f.Name)
			step := cmp.Or(steps[f.Name], 97)
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

// checkFlip decodes b, the flipped a, and b.
func checkFlip(t *testing.T, bit int, a, b known, flipped string) {
	t.Helper()
	before, behind := false, false
	stream := b.wire + flipped + b.wire
	for _, o := range readings(outcomes(t, strings.NewReader(stream))) {
		switch {
		case o.Text == b.text && o.Offset == 0:
			before = true
		case o.Text == b.text && o.Offset == int64(len(stream)-len(b.wire)) && o.Checked == b.checked:
			behind = true
		case values(o.Text) == values(a.text) && (o.Checked || !a.checked):
		case a.wire[0] == '/' && !a.checked && !o.Checked: // nothing vouches for it: the bridge wants two alike
		default:
			t.Fatalf("bit %d of byte %d flipped: checked %v, a reading that nobody sent: %s", bit%8, bit/8, o.Checked, o.Text)
		}
	}
	if !before || !behind {
		t.Fatalf("bit %d of byte %d flipped: the telegram before it is found: %v; behind it: %v", bit%8, bit/8, before, behind)
	}
}

// values is what a reading says, without its outermost framing: within a damaged frame an encrypted message may prove itself.
func values(text string) string {
	_, rest, _ := strings.Cut(text, " ")
	return rest
}
