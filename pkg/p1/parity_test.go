package p1_test

import (
	"bytes"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/p1"
)

// withParity returns text as it is received from a line with 7 data bits and even parity that is read with 8 data bits.
func withParity(text []byte) []byte {
	out := bytes.Clone(text)
	for i, x := range out {
		out[i] = x | byte(bits.OnesCount8(x)&1)<<7
	}
	return out
}

// TestStripParity tests that StripParity removes the parity bit and stops before a byte that is not text with even parity.
func TestStripParity(t *testing.T) {
	text := swedishTelegram()
	received := withParity(text)
	if received[0] != 0xAF {
		t.Fatalf("the '/' arrives as %02X, want AF", received[0])
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"a telegram", received, string(text)},
		{"no bytes", nil, ""},
		{"text without parity", []byte("ABCD"), "AB"}, // C has odd parity
		{"a control character", withParity([]byte("AB\x03C")), "AB"},
		{"a zero byte", []byte("AB\x00"), "AB"},
		{"a DEL character", withParity([]byte("AB\x7F")), "AB"},
	} {
		dst := make([]byte, len(tt.in))
		if n := p1.StripParity(dst, tt.in); string(dst[:n]) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, dst[:n], tt.want)
		}
	}
	if n := p1.StripParity(make([]byte, 3), received); n != 3 {
		t.Errorf("dst of 3 bytes: got %d, want 3", n)
	}
	if n := p1.StripParity(received, received); string(received[:n]) != string(text) {
		t.Errorf("in place: got %q, want %q", received[:n], text)
	}
}

// TestStripParityFlip tests that StripParity stops before a byte with a flipped bit.
func TestStripParityFlip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.ByteRange(' ', '~'), 1, 50).Draw(t, "text")
		received := withParity(text)
		at := rapid.IntRange(0, len(received)-1).Draw(t, "at")
		received[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		dst := make([]byte, len(received))
		if n := p1.StripParity(dst, received); n != at || !bytes.Equal(dst[:n], text[:n]) {
			t.Fatalf("got %q, want %q", dst[:n], text[:at])
		}
	})
}
