package hdlc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
)

// TestChecksum tests the check value and the residue of CRC-16/X.25.
func TestChecksum(t *testing.T) {
	digits := []byte("123456789")
	if got, want := hdlc.Checksum(digits), uint16(0x906E); got != want {
		t.Errorf("Checksum = %04X, want %04X", got, want)
	}
	// If data is followed by its checksum, the checksum of all these bytes is the same for any data: the residue (IEC 62056-46, 6.5).
	if got, want := ^hdlc.Checksum(append(digits, 0x6E, 0x90)), uint16(0xF0B8); got != want {
		t.Errorf("residue = %04X, want %04X", got, want)
	}
}

// frame returns a frame with the addresses of Aidon meters.
func frame(info string) hdlc.Frame {
	return hdlc.Frame{Destination: []byte{0x41}, Source: []byte{0x08, 0x83}, Control: 0x13, Info: []byte(info)}
}

// encode returns the bytes of the frame, with flags and checksums.
func encode(f hdlc.Frame) string { return string(hdlc.Append(nil, f)) }

// frames returns a generator of frames with addresses of all lengths, and with flags in their information.
func frames() *rapid.Generator[hdlc.Frame] {
	address := rapid.Custom(func(t *rapid.T) []byte {
		a := rapid.SliceOfN(rapid.Byte(), 1, 4).Draw(t, "address")
		for i := range a {
			a[i] &^= 1
		}
		a[len(a)-1] |= 1
		return a
	})
	info := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 300), rapid.SliceOfN(rapid.SampledFrom([]byte{hdlc.Flag, 0xA0, 0xA7, 0x41}), 1, 60))
	return rapid.Custom(func(t *rapid.T) hdlc.Frame {
		return hdlc.Frame{
			Destination: address.Draw(t, "destination"), Source: address.Draw(t, "source"),
			Control: rapid.Byte().Draw(t, "control"), Segmented: rapid.Bool().Draw(t, "segmented"), Info: info.Draw(t, "info"),
		}
	})
}

// TestRoundTrip tests that Parse reads what Append writes, and that Length returns the length of the frame, for any bytes after it.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		b := []byte(encode(f))
		got, err := hdlc.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Info) == 0 {
			f.Info, got.Info = nil, append([]byte(nil), got.Info...)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if n := hdlc.Length(append(b, rapid.SliceOf(rapid.Byte()).Draw(t, "rest")...)); n != len(b) {
			t.Fatalf("Length = %d, want %d", n, len(b))
		}
	})
}

// TestAppend tests the bytes of a frame, and the length of the longest frame.
func TestAppend(t *testing.T) {
	got := []byte(encode(frame("\xE6\xE7\x00\x0F")))
	want := []byte{0x7E, 0xA0, 0x0E, 0x41, 0x08, 0x83, 0x13}
	hcs := hdlc.Checksum(want[1:])
	want = append(want, byte(hcs), byte(hcs>>8), 0xE6, 0xE7, 0x00, 0x0F)
	fcs := hdlc.Checksum(want[1:])
	want = append(want, byte(fcs), byte(fcs>>8), 0x7E)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	longest := frame(strings.Repeat("x", hdlc.MaxLength-12)) // 12 bytes of a frame are not information
	if got := len(encode(longest)); got != hdlc.MaxLength {
		t.Errorf("got %d bytes as the longest frame, want %d", got, hdlc.MaxLength)
	}
}

// TestAppendPanics tests that Append panics if the frame is not possible.
func TestAppendPanics(t *testing.T) {
	for name, f := range map[string]hdlc.Frame{
		"no addresses":                    {},
		"no source":                       {Destination: []byte{1}},
		"last byte of an address is even": {Destination: []byte{2}, Source: []byte{1}},
		"first byte of an address is odd": {Destination: []byte{1, 1}, Source: []byte{1}},
		"address of five bytes":           {Destination: []byte{2, 2, 2, 2, 1}, Source: []byte{1}},
		"one byte longer than MaxLength":  frame(strings.Repeat("x", hdlc.MaxLength-11)),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Append does not panic", name)
				}
			}()
			hdlc.Append(nil, f)
		}()
	}
}
