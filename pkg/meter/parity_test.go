package meter_test

import (
	"math/bits"
	"strings"
	"testing"
)

// withParity returns the bytes that a receiver with eight data bits reads if telegram is sent with seven data bits and even parity. ok is false if
// telegram has bytes above 7F.
func withParity(telegram string) (received string, ok bool) {
	b := []byte(telegram)
	for i, x := range b {
		if x >= 0x80 {
			return "", false
		}
		b[i] = x | byte(bits.OnesCount8(x)%2)<<7 // bit 7 is the parity bit
	}
	return string(b), true
}

// TestParity tests that an ASCII telegram with parity bits is read between other telegrams and noise.
func TestParity(t *testing.T) {
	frame, _ := twoTelegrams(t, "aidon-se")
	text, _ := twoTelegrams(t, "p1-se-aidon")
	tested := 0
	for _, sent := range sentTelegrams() {
		received, ok := withParity(sent.bytes)
		if !ok || sent.bytes[0] != '/' || sent.content == text.content {
			continue // no ASCII telegram, or the telegram that the stream contains without parity bits
		}
		tested++
		in := frame.bytes + received + text.bytes + "\x00\xFF" + received + received + frame.bytes
		got := "" // P for each reading of the telegram with parity bits, o for each reading of another telegram
		for _, o := range outcomes(t, strings.NewReader(in)) {
			switch {
			case o.Good && o.Text == sent.content && o.Checked == sent.checked && o.Bytes == len(received):
				got += "P"
			case o.Good && (o.Text == frame.content || o.Text == text.content):
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
		received, _ := withParity(a.bytes)
		next, _ := withParity(b.bytes)
		for bit := 0; bit < 8*len(received); bit += 5 {
			flipped := []byte(received)
			flipped[bit/8] ^= 1 << (bit % 8)
			found := false
			for _, o := range readings(outcomes(t, strings.NewReader(string(flipped)+next))) {
				switch {
				case o.Text == b.content && o.Offset == int64(len(received)):
					found = true
				case o.Text != a.content:
					t.Errorf("%s, bit %d of byte %d flipped: got a reading that was not sent, checked %v: %s", family, bit%8, bit/8, o.Checked, o.Text)
				}
			}
			if !found {
				t.Errorf("%s, bit %d of byte %d flipped: the next telegram is not found", family, bit%8, bit/8)
			}
		}
	}
}
