package meter_test

import (
	"math/bits"
	"strings"
	"testing"
)

// withParity is how eight bits show what was sent with seven and even parity; false for what is no text.
func withParity(wire string) (string, bool) {
	b := []byte(wire)
	for i, x := range b {
		if x >= 0x80 {
			return "", false
		}
		b[i] = x | byte(bits.OnesCount8(x)%2)<<7
	}
	return string(b), true
}

// TestParity: an ASCII telegram of a line with seven bits and even parity is read with eight, wherever it stands.
func TestParity(t *testing.T) {
	frame, _ := of(t, "aidon-se")
	text, _ := of(t, "p1-se-aidon")
	tried := 0
	for _, k := range knownTelegrams() {
		wire, ok := withParity(k.wire)
		if !ok || k.wire[0] != '/' || k.text == text.text {
			continue
		}
		tried++
		in := frame.wire + wire + text.wire + "\x00\xFF" + wire + wire + frame.wire
		got := ""
		for _, o := range outcomes(t, strings.NewReader(in)) {
			switch {
			case o.Good && o.Text == k.text && o.Checked == k.checked && o.Bytes == len(wire):
				got += "k"
			case o.Good && (o.Text == frame.text || o.Text == text.text):
				got += "."
			default:
				t.Errorf("%s: got %s", k.family, o.Text)
			}
		}
		if want := ".k.kk."; got != want {
			t.Errorf("%s: got %s, want %s", k.family, got, want)
		}
	}
	if tried < 100 {
		t.Errorf("%d telegrams tried: the test looks at too little", tried)
	}
}

// TestParityFlips: parity proves each character, so that even without a checksum a flipped bit gives no wrong value.
func TestParityFlips(t *testing.T) {
	for _, family := range []string{"p1-nl-22", "p1-si", "p1-nl-5"} {
		a, b := of(t, family)
		wire, _ := withParity(a.wire)
		behind, _ := withParity(b.wire)
		for bit := 0; bit < 8*len(wire); bit += 5 {
			flipped := []byte(wire)
			flipped[bit/8] ^= 1 << (bit % 8)
			found := false
			for _, o := range readings(outcomes(t, strings.NewReader(string(flipped)+behind))) {
				switch {
				case o.Text == b.text && o.Offset == int64(len(wire)):
					found = true
				case o.Text != a.text:
					t.Errorf("%s, bit %d of byte %d flipped: checked %v, got %s", family, bit%8, bit/8, o.Checked, o.Text)
				}
			}
			if !found {
				t.Errorf("%s, bit %d of byte %d flipped: the telegram behind it is not found", family, bit%8, bit/8)
			}
		}
	}
}
