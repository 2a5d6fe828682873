package mbus_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

func TestLength(t *testing.T) {
	a, long := encode(frame("one")), encode(frame(strings.Repeat("x", 252)))
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
		{"header", a[:4], 0},
		{"all but the last byte", a[:len(a)-1], 0},
		{"whole", a, len(a)},
		{"whole, and the start of another", a + "\x68", len(a)},
		{"wrong checksum", a[:len(a)-2] + "\x00\x16", len(a)},
		{"length of two", "\x68\x02\x02\x68", -1},
		{"length modulo 256, nothing behind it", long[:4], 0},
		{"length modulo 256, C", long[:5], 0},
		{"length modulo 256, another C", "\x68\x01\x01\x68\x08", -1},
		{"length modulo 256, another A", "\x68\x01\x01\x68\x53\x00", -1},
		{"length modulo 256, all but the last byte", long[:262], 0},
		{"length modulo 256, whole", long, 263},
	} {
		if got := mbus.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestValidHeader(t *testing.T) {
	a := encode(frame("one"))
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{"", false}, {a[:5], false}, {a[:6], true}, {a, true}, {"\x68\x01\x01\x68\x53\xFF", true},
		{"\x68\x02\x02\x68\x53\xFF", false}, {"\x68\x07\x07\x68\x08\xFF", false}, {"\x68\x07\x07\x68\x53\x00", false},
		{"\x68\x07\x08\x68\x53\xFF", false},
	} {
		if got := mbus.ValidHeader([]byte(tt.in)); got != tt.want {
			t.Errorf("% x: ValidHeader = %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestLengthIsFinal: more bytes never change a result of Length other than 0.
func TestLengthIsFinal(t *testing.T) {
	noise := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{mbus.Start, mbus.Push, mbus.Broadcast, 0, 1, 5}), rapid.Byte()), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(encode(frames().Draw(t, "frame"))), noise.Draw(t, "rest")...)
		if rapid.Bool().Draw(t, "noise alone") {
			b = append([]byte{mbus.Start}, noise.Draw(t, "noise")...)
		}
		framingtest.Final(t, mbus.Length, b)
	})
}
