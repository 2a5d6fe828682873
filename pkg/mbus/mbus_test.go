package mbus_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// frame returns the frame of the last segment of a message, with the addresses of Austrian meters.
func frame(data string) mbus.Frame {
	return mbus.Frame{
		Control: mbus.Push, Address: mbus.Broadcast, Segment: 1, Final: true, Source: 0x01, Destination: 0x67, Data: []byte(data),
	}
}

// encode returns the bytes of the frame, with header and checksum.
func encode(f mbus.Frame) string { return string(mbus.Append(nil, f)) }

// frames returns a generator of frames of every length. Their data often has bytes with which frames begin.
func frames() *rapid.Generator[mbus.Frame] {
	starts := rapid.SampledFrom([]byte{mbus.Start, mbus.Push, mbus.Broadcast, 0, 1, 5, 0x16})
	return rapid.Custom(func(t *rapid.T) mbus.Frame {
		f := mbus.Frame{
			Control: mbus.Push, Address: mbus.Broadcast,
			Segment: byte(rapid.IntRange(0, 15).Draw(t, "segment")), Final: rapid.Bool().Draw(t, "final"),
			Source: rapid.Byte().Draw(t, "source"), Destination: rapid.Byte().Draw(t, "destination"),
			Data: rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 252), rapid.SliceOfN(starts, 0, 60)).Draw(t, "data"),
		}
		if len(f.Data) <= 250 && rapid.Bool().Draw(t, "another control") {
			f.Control, f.Address = rapid.Byte().Draw(t, "control"), rapid.Byte().Draw(t, "address")
		}
		return f
	})
}

// TestRoundTrip tests that Parse reads what Append writes, and that Length returns the length of the frame, for any bytes after it.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := frames().Draw(t, "frame")
		b := []byte(encode(f))
		got, err := mbus.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		if n := mbus.Length(append(b, rapid.SliceOf(rapid.Byte()).Draw(t, "rest")...)); n != len(b) {
			t.Fatalf("Length = %d, want %d", n, len(b))
		}
	})
}

// TestAppend tests the bytes of a frame, and the length field of long frames.
func TestAppend(t *testing.T) {
	f := frame("\xDB\x08")
	got, want := encode(f), "\x68\x07\x07\x68\x53\xFF\x11\x01\x67\xDB\x08\xAE\x16"
	if got != want {
		t.Errorf("got % x, want % x", got, want)
	}
	f.Segment, f.Final = 0, false
	for _, tt := range []struct {
		size       int // of the data
		wantHeader string
	}{
		{0, "\x68\x05\x05\x68\x53\xFF\x00"},
		{245, "\x68\xFA\xFA\x68\x53\xFF\x00"},
		{250, "\x68\xFF\xFF\x68\x53\xFF\x00"},
		{251, "\x68\x00\x00\x68\x53\xFF\x00"},
		{252, "\x68\x01\x01\x68\x53\xFF\x00"},
	} {
		f.Data = bytes.Repeat([]byte{0x0F}, tt.size)
		got := encode(f)
		const overhead = 11 // bytes of a frame besides the data
		if !strings.HasPrefix(got, tt.wantHeader) || len(got) != tt.size+overhead {
			t.Errorf("%d bytes of data: got %d bytes that begin with % x, want %d and % x", tt.size, len(got), got[:7], tt.size+overhead, tt.wantHeader)
		}
		if read, err := mbus.Parse([]byte(got)); err != nil || len(read.Data) != tt.size {
			t.Errorf("%d bytes of data: Parse returned %d bytes of data, error %v", tt.size, len(read.Data), err)
		}
	}
	if len(encode(f)) != mbus.MaxLength {
		t.Errorf("got %d bytes as the longest frame, want %d", len(encode(f)), mbus.MaxLength)
	}
}

// TestAppendPanics tests that Append panics if the frame is not possible.
func TestAppendPanics(t *testing.T) {
	notBroadcast, segment16 := frame(strings.Repeat("x", 251)), frame("")
	notBroadcast.Address, segment16.Segment = 1, 16
	for name, f := range map[string]mbus.Frame{
		"253 bytes of data":                       frame(strings.Repeat("x", 253)),
		"251 bytes, not to the broadcast address": notBroadcast,
		"segment 16":                              segment16,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: Append does not panic", name)
				}
			}()
			mbus.Append(nil, f)
		}()
	}
}
