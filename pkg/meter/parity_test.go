package meter_test

import (
	"math/bits"
	"strings"
	"testing"
)

// withParity returns the bytes that a receiver with eight data bits reads if wire is sent with seven data bits and even parity. ok is false if
// wire has bytes above 7F.
func withParity(wire string) (received string, ok bool) {
	b := []byte(wire)
	for i, x := range b {
		if x >= 0x80 {
			return "", false
		}
		b[i] = x | byte(bits.OnesCount8(x)%2)<<7
	}
	return string(b), true
}

// TestParity tests that an ASCII telegram with parity bits is read between other telegrams and noise.
func TestParity(t *testing.T) {
	frame, _ := twoTelegrams(t, "aidon-se")
	text, _ := twoTelegrams(t, "p1-se-aidon")
	tested := 0
	for _, sent := range sentTelegrams() {
		wire, ok := withParity(sent.wire)
		if !ok || sent.wire[0] != '/' || sent.text == text.text {
			continue
		}
		tested++
		in := frame.wire + wire + text.wire + "\x00\xFF" + wire + wire + frame.wire
		got := "" // P for each reading of the telegram with parity bits, o for each reading of another telegram
		for _, o := range outcomes(t, strings.NewReader(in)) {
			switch {
			case o.Good && o.Text == sent.text && o.Checked == sent.checked && o.Bytes == len(wire):
				got += "P"
			case o.Good && (o.Text == frame.text || o.Text == text.text):
				got += "o"
			default:
				t.Errorf("%s: got an outcome that is not a telegram of the stream: %s", sent.family, o.Text)
			}
		}
		if want := "oPoPPo"; got != want {
			t.Errorf("%s: got readings %s, want %s", sent.family, got, want)
		}
	}
	if tested < 100 {
		t.Errorf("got %d tested telegrams, want at least 100", tested)
	}
}

// TestParityFlips tests that a flipped bit gives no wrong value, even in a telegram without a checksum, because each character has a parity bit.
func TestParityFlips(t *testing.T) {
	for _, family := range []string{"p1-nl-22", "p1-si", "p1-nl-5"} {
		a, b := twoTelegrams(t, family)
		wire, _ := withParity(a.wire)
		next, _ := withParity(b.wire)
		for bit := 0; bit < 8*len(wire); bit += 5 {
			flipped := []byte(wire)
			flipped[bit/8] ^= 1 << (bit % 8)
			found := false
			for _, o := range readings(outcomes(t, strings.NewReader(string(flipped)+next))) {
				switch {
				case o.Text == b.text && o.Offset == int64(len(wire)):
					found = true
				case o.Text != a.text:
					t.Errorf("%s, bit %d of byte %d flipped: got a reading that was not sent, checked %v: %s", family, bit%8, bit/8, o.Checked, o.Text)
				}
			}
			if !found {
				t.Errorf("%s, bit %d of byte %d flipped: the next telegram is not found", family, bit%8, bit/8)
			}
		}
	}
}
