package mbus_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// TestLength tests the length of complete, incomplete and damaged frames. In the rows with "L modulo 256", the length is above 255, so L has
// only the low byte of the length.
func TestLength(t *testing.T) {
	a, long := encode(frame("one")), encode(frame(strings.Repeat("x", 252)))
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"no bytes", "", 0},
		{"no start byte", "\x10", -1},
		{"only a start byte", "\x68", 0},
		{"start byte and L", "\x68\x07", 0},
		{"the two L differ", "\x68\x07\x08", -1},
		{"start byte and both L", "\x68\x07\x07", 0},
		{"no second start byte", "\x68\x07\x07\x69", -1},
		{"header", a[:4], 0},
		{"all but the last byte", a[:len(a)-1], 0},
		{"complete frame", a, len(a)},
		{"complete frame, and the beginning of another", a + "\x68", len(a)},
		{"wrong checksum", a[:len(a)-2] + "\x00\x16", len(a)},
		{"L too small", "\x68\x02\x02\x68", -1},
		{"L modulo 256, up to the second start byte", long[:4], 0},
		{"L modulo 256, up to C", long[:5], 0},
		{"L modulo 256, C is not Push", "\x68\x01\x01\x68\x08", -1},
		{"L modulo 256, A is not Broadcast", "\x68\x01\x01\x68\x53\x00", -1},
		{"L modulo 256, all but the last byte", long[:262], 0},
		{"L modulo 256, complete frame", long, 263},
	} {
		if got := mbus.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestValidHeader tests that ValidHeader needs the header of a frame that a meter pushes.
func TestValidHeader(t *testing.T) {
	a := encode(frame("one"))
	for _, tt := range []struct {
		name, in string
		want     bool
	}{
		{"no bytes", "", false},
		{"header up to C", a[:5], false},
		{"header up to A", a[:6], true},
		{"complete frame", a, true},
		{"L modulo 256", "\x68\x01\x01\x68\x53\xFF", true},
		{"L too small", "\x68\x02\x02\x68\x53\xFF", false},
		{"C is not Push", "\x68\x07\x07\x68\x08\xFF", false},
		{"A is not Broadcast", "\x68\x07\x07\x68\x53\x00", false},
		{"the two L differ", "\x68\x07\x08\x68\x53\xFF", false},
	} {
		if got := mbus.ValidHeader([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: ValidHeader = %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestLengthIsFinal tests that a length other than 0 stays the same if more bytes follow.
func TestLengthIsFinal(t *testing.T) {
	noise := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{mbus.Start, mbus.Push, mbus.Broadcast, 0, 1, 5}), rapid.Byte()), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(encode(frames().Draw(t, "frame"))), noise.Draw(t, "rest")...)
		if rapid.Bool().Draw(t, "only noise") {
			b = append([]byte{mbus.Start}, noise.Draw(t, "noise")...)
		}
		framingtest.Final(t, mbus.Length, b)
	})
}
