package meter_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestEveryFlip: whatever single bit of a telegram is flipped, it gives the right values or none, and the good telegram
// right behind it is found.
func TestEveryFlip(t *testing.T) {
	for _, f := range simulate.Families() {
		a, b := of(t, f.Name)
		step := 97 // a bit of every twelfth byte; of two families each bit
		if f.Name == "aidon-se" || f.Name == "p1-se-aidon" {
			step = 1
		}
		for bit := 0; bit < 8*len(a.wire); bit += step {
			flipped := []byte(a.wire)
			flipped[bit/8] ^= 1 << (bit % 8)
			checkFlip(t, bit, a, b, string(flipped), b.wire)
			if a.wire[0] == '~' && bit/8 < len(a.wire)-1 { // one flag between the two
				checkFlip(t, bit, a, b, string(flipped[:len(flipped)-1]), b.wire)
			}
		}
	}
}

func checkFlip(t *testing.T, bit int, a, b known, flipped, good string) {
	t.Helper()
	found := false
	for _, o := range readings(outcomes(t, strings.NewReader(flipped+good))) {
		switch {
		case o.Text == b.text && o.Offset == int64(len(flipped)) && o.Checked:
			found = true
		case o.Text != a.text || !o.Checked:
			t.Fatalf("%s, bit %d of byte %d flipped: checked %v, a reading that nobody sent: %s", a.family, bit%8, bit/8, o.Checked, o.Text)
		}
	}
	if !found {
		t.Fatalf("%s, bit %d of byte %d flipped: the telegram behind it is not found", a.family, bit%8, bit/8)
	}
}
