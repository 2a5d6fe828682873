package mbus_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

func TestLength(t *testing.T) {
	a, long := wire(frame("one")), wire(frame(strings.Repeat("x", 252)))
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"nothing", "", 0},
		{"another byte", "\x10", -1},
		{"start alone", "\x68", 0},
		{"one length", "\x68\x07", 0},
		{"two lengths that differ", "\x68\x07\x08", -1},
		{"two lengths", "\x68\x07\x07", 0},
		{"no second start", "\x68\x07\x07\x69", -1},
		{"head", a[:4], 0},
		{"all but the last byte", a[:len(a)-1], 0},
		{"whole", a, len(a)},
		{"whole, and more", a + "\x68", len(a)},
		{"wrong checksum", a[:len(a)-2] + "\x00\x16", len(a)},
		{"length of two", "\x68\x02\x02\x68", -1},
		{"length that wraps, nothing behind", long[:4], 0},
		{"length that wraps, C", long[:5], 0},
		{"length that wraps, another C", "\x68\x01\x01\x68\x08", -1},
		{"length that wraps, another A", "\x68\x01\x01\x68\x53\x00", -1},
		{"length that wraps, all but the last byte", long[:262], 0},
		{"length that wraps, whole", long, 263},
	} {
		if got := mbus.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestProven(t *testing.T) {
	a := wire(frame("one"))
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{"", false}, {a[:5], false}, {a[:6], true}, {a, true}, {"\x68\x01\x01\x68\x53\xFF", true},
		{"\x68\x02\x02\x68\x53\xFF", false}, {"\x68\x07\x07\x68\x08\xFF", false}, {"\x68\x07\x07\x68\x53\x00", false},
		{"\x68\x07\x08\x68\x53\xFF", false},
	} {
		if got := mbus.ValidHeader([]byte(tt.in)); got != tt.want {
			t.Errorf("% x: Proven = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestLengthIsFinal: an answer once given does not change with the bytes that follow.
func TestLengthIsFinal(t *testing.T) {
	noisy := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{mbus.Start, mbus.Push, mbus.Broadcast, 0, 1, 5}), rapid.Byte()), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(wire(frames().Draw(t, "frame"))), noisy.Draw(t, "rest")...)
		if rapid.Bool().Draw(t, "noise alone") {
			b = append([]byte{mbus.Start}, noisy.Draw(t, "noise")...)
		}
		framingtest.Final(t, mbus.Length, b)
	})
}
