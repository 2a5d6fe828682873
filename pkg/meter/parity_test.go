package meter_test

import (
	"math/bits"
	"strings"
	"testing"
)

// withParity returns wire as a line of eight bits shows it if it is sent with seven bits and even parity. ok is false if it has bytes of
// eight bits.
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

// TestParity tests that an ASCII telegram that is sent with seven bits and even parity is read with eight bits, whatever stands around it.
func TestParity(t *testing.T) {
	frame, _ := twoTelegrams(t, "aidon-se")
	text, _ := twoTelegrams(t, "p1-se-aidon")
	tried := 0
	for _, k := range sentTelegrams() {
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

// TestParityFlips tests that a flipped bit gives no wrong value, even without a checksum, because parity proves each character.
func TestParityFlips(t *testing.T) {
	for _, family := range []string{"p1-nl-22", "p1-si", "p1-nl-5"} {
		a, b := twoTelegrams(t, family)
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
