package hdlc_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
)

// TestLength tests the length of complete, incomplete and damaged frames.
func TestLength(t *testing.T) {
	a := encode(frame("one"))
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"no bytes", "", 0},
		{"no flag", "\x68", -1},
		{"only a flag", "\x7E", 0},
		{"two flags", "\x7E\x7E", -1},
		{"only a flag and the format type", "\x7E\xA0", 0},
		{"another format type", "\x7E\x90\x20", -1},
		{"length field too small", "\x7E\xA0\x06", -1},
		{"address of five bytes", "\x7E\xA0\x20\x02\x02\x02\x02\x01", -1},
		{"header longer than the frame", "\x7E\xA0\x07\x02\x02\x02\x01\x02\x02\x02\x01\x13\x00\x00", -1},
		{"part of the header", a[:8], 0},
		{"header", a[:9], 0},
		{"all but the end flag", a[:len(a)-1], 0},
		{"complete frame", a, len(a)},
		{"complete frame, and the beginning of another", a + "\x7E\xA0", len(a)},
		{"wrong header checksum", a[:8] + "\x00", 9},
	} {
		if got := hdlc.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestValidHeader tests that ValidHeader needs a complete header with a right checksum.
func TestValidHeader(t *testing.T) {
	a := encode(frame("one"))
	for _, tt := range []struct {
		name, in string
		want     bool
	}{
		{"part of the header", a[:8], false},
		{"header", a[:9], true},
		{"complete frame", a, true},
		{"wrong header checksum", a[:8] + "\x00", false},
	} {
		if got := hdlc.ValidHeader([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: ValidHeader = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// noise returns a generator of bytes. Many of them are bytes with which frames begin.
func noise() *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{hdlc.Flag, 0xA0, 0x08, 0x41, 0x83, 0x01, 0}), rapid.Byte()), 0, 200)
}

// TestLengthIsFinal tests that a length other than 0 stays the same if more bytes follow.
func TestLengthIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(encode(frames().Draw(t, "frame"))), noise().Draw(t, "rest")...)
		if rapid.Bool().Draw(t, "only noise") {
			b = append([]byte{hdlc.Flag}, noise().Draw(t, "noise")...)
		}
		framingtest.Final(t, hdlc.Length, b)
	})
}
