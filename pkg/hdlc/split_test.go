package hdlc_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/internal/framing/framingtest"
)

func TestSplit(t *testing.T) {
	a, b := wire(frame("one")), wire(frame("\x7E\xA0\x7E\x7E\xA7\xFF\x7E"))
	empty := wire(hdlc.Frame{Destination: []byte{3}, Source: []byte{0x21}, Control: 0x93})
	for _, tt := range []struct {
		name, in string
		want     []string // those that Parse accepts
	}{
		{"nothing", "", []string{}},
		{"flags alone", "\x7E\x7E\x7E\x7E", []string{}},
		{"one", a, []string{a}},
		{"flags inside", b, []string{b}},
		{"two", a + b, []string{a, b}},
		{"one flag between", a + b[1:], []string{a, b}},
		{"three flags between", a + "\x7E" + b, []string{a, b}},
		{"one flag behind a frame without information", empty + a[1:], []string{empty, a}},
		{"noise between", "\x00\xffabc" + a + "\x01/x\r\n" + b, []string{a, b}},
		{"tail of one first", a[5:] + b, []string{b}},
		{"cut within the information, then one", wire(frame("0123456789"))[:14] + strings.Repeat("\x00", 6) + a, []string{a}},
		{"cut within the header, then one", a[:3] + b, []string{b}},
		{"wrong header checksum, then one", a[:7] + "\x00" + a[8:] + b, []string{b}},
		{"wrong frame checksum, then one", a[:len(a)-2] + "\x00\x7E" + b, []string{b}},
		{"cut at the end", a + b[:12], []string{a}},
		{"cut within the header at the end", a + b[1:4], []string{a}},
	} {
		for how, r := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			if diff := cmp.Diff(tt.want, framingtest.Sound(framingtest.Tokens(t, hdlc.Split, r), hdlc.Parse)); diff != "" {
				t.Errorf("%s, %s, -want +got:\n%q", tt.name, how, diff)
			}
		}
	}
}

func TestLength(t *testing.T) {
	a := wire(frame("one"))
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"flag alone", "\x7E", 0},
		{"two flags", "\x7E\x7E", -1},
		{"format type alone", "\x7E\xA0", 0},
		{"another format type", "\x7E\x90\x20", -1},
		{"length below the shortest", "\x7E\xA0\x06", -1},
		{"address of five bytes", "\x7E\xA0\x20\x02\x02\x02\x02\x01", -1},
		{"header longer than the frame", "\x7E\xA0\x07\x02\x02\x02\x01\x02\x02\x02\x01\x13\x00\x00", -1},
		{"header not whole", a[:8], 0},
		{"header", a[:9], 0},
		{"all but the flag", a[:len(a)-1], 0},
		{"whole", a, len(a)},
		{"whole, and more", a + "\x7E\xA0", len(a)},
		{"wrong header checksum", a[:8] + "\x00", 9},
	} {
		if got := hdlc.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
	if hdlc.Proven([]byte(a[:8])) || !hdlc.Proven([]byte(a[:9])) || hdlc.Proven([]byte(a[:8]+"\x00")) {
		t.Error("Proven is not true of a right header alone")
	}
}

// noisy draws bytes that are full of what begins a frame.
func noisy() *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]byte{hdlc.Flag, 0xA0, 0x08, 0x41, 0x83, 0x01, 0}), rapid.Byte()), 0, 200)
}

// TestLengthIsFinal: an answer once given does not change with the bytes that follow.
func TestLengthIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := append([]byte(wire(frames().Draw(t, "frame"))), noisy().Draw(t, "rest")...)
		if rapid.Bool().Draw(t, "noise alone") {
			b = append([]byte{hdlc.Flag}, noisy().Draw(t, "noise")...)
		}
		framingtest.Final(t, hdlc.Length, b)
	})
}
