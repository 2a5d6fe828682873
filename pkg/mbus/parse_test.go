package mbus_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// TestParseErrors tests the error of each damaged frame, and of frames that are not segments.
func TestParseErrors(t *testing.T) {
	a := encode(frame("0123456789"))
	last := len(a) - 1
	for _, tt := range []struct {
		name, in, want string
		kind           error
	}{
		{"no bytes", "", "not a long frame", mbus.ErrMalformed},
		{"no start byte", a[1:], "not a long frame", mbus.ErrMalformed},
		{"the two L differ", a[:2] + "\x00" + a[3:], "not a long frame", mbus.ErrMalformed},
		{"only a start byte", "\x68", "cut within the header, after 1 bytes", mbus.ErrTruncated},
		{"cut before the stop byte", a[:last], "cut: 20 of 21 bytes", mbus.ErrTruncated},
		{"wrong data", strings.Replace(a, "5", "6", 1), "checksum: want d9, got d8", mbus.ErrChecksum},
		{"wrong checksum", a[:last-1] + "\x00\x16", "checksum: want d8, got 00", mbus.ErrChecksum},
		{"no stop byte", a[:last] + "\x00", "no stop byte (16) at the length", mbus.ErrMalformed},
		{"a byte after the frame", a + "\x16", "no stop byte (16) at the length", mbus.ErrMalformed},
		{"frame of a water meter", "\x68\x05\x05\x68\x08\x05\x72\x01\x02\x82\x16", "control information 72", mbus.ErrNotSegment},
		{"CI above those of segments", "\x68\x05\x05\x68\x53\xFF\x20\x01\x67\xDA\x16", "control information 20", mbus.ErrNotSegment},
		{"no access points", "\x68\x04\x04\x68\x53\xFF\x00\x01\x53\x16", "without the access points", mbus.ErrNotSegment},
	} {
		got, err := mbus.Parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "mbus: ") {
			t.Errorf("%s: got error %v, want an error with %q", tt.name, err, tt.want)
		}
		if !errors.Is(err, tt.kind) {
			t.Errorf("%s: got error %v, want an error that matches %v", tt.name, err, tt.kind)
		}
		if diff := cmp.Diff(mbus.Frame{}, got); diff != "" {
			t.Errorf("%s: got a frame with the error, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestParseAliases tests that a Frame aliases the bytes that were parsed.
func TestParseAliases(t *testing.T) {
	b := []byte(encode(frame("one")))
	f, err := mbus.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if b[9] = 'X'; string(f.Data) != "Xne" {
		t.Errorf("got Data %q after a change of the parsed bytes, want Xne", f.Data)
	}
}

// intactFrames returns all intact frames that begin anywhere in a stream.
func intactFrames(stream string) (frames []string) {
	for i := range stream {
		n := mbus.Length([]byte(stream[i:]))
		if n <= 0 {
			continue
		}
		if _, err := mbus.Parse([]byte(stream[i : i+n])); err == nil {
			frames = append(frames, stream[i:i+n])
		}
	}
	return frames
}

// TestFlippedBits tests that no frame is read from a frame with one flipped bit, and that the intact frame after it is found.
func TestFlippedBits(t *testing.T) {
	for _, data := range []string{"\xDB\x08 \x68\x05\x05\x68\x53\xFF\x16", strings.Repeat("\x68", 252)} {
		good, next := mbus.Append(nil, frame(data)), encode(frame("the next one"))
		for bit := range 8 * len(good) {
			flipped := bytes.Clone(good)
			flipped[bit/8] ^= 1 << (bit % 8)
			if got, err := mbus.Parse(flipped); err == nil {
				t.Fatalf("bit %d of byte %d flipped: got %+v", bit%8, bit/8, got)
			}
			got := intactFrames(string(flipped) + next)
			if diff := cmp.Diff([]string{next}, got); diff != "" {
				t.Fatalf("bit %d of byte %d flipped, frames in the stream, -want +got:\n%q", bit%8, bit/8, diff)
			}
		}
	}
}
