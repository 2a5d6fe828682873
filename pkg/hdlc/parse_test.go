package hdlc_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
)

// TestParseErrors tests the error of each damaged frame.
func TestParseErrors(t *testing.T) {
	a := encode(frame("0123456789"))
	last := len(a) - 1
	header := []byte("\x7E\xA0\x08\x03\x21\x93")
	sum := hdlc.Checksum(header[1:])
	uncovered := string(append(header, byte(sum), byte(sum>>8), 0x55, hdlc.Flag)) // the 55 is too short for information and FCS
	for _, tt := range []struct {
		name, in, want string
		kind           error
	}{
		{"no bytes", "", "not a frame", hdlc.ErrMalformed},
		{"no flag", a[1:], "not a frame", hdlc.ErrMalformed},
		{"another format type", "\x7E\x90" + a[2:], "not a frame", hdlc.ErrMalformed},
		{"only a flag", "\x7E", "cut within the header, after 1 bytes", hdlc.ErrTruncated},
		{"cut within the header", a[:8], "cut within the header, after 8 bytes", hdlc.ErrTruncated},
		{"cut before the end flag", a[:last], "cut: 21 of 22 bytes", hdlc.ErrTruncated},
		{"wrong header", a[:6] + "\x10" + a[7:], "header checksum: want ", hdlc.ErrChecksum},
		{"wrong header checksum", a[:7] + "\x00" + a[8:], "header checksum: want ", hdlc.ErrChecksum},
		{"wrong information", strings.Replace(a, "5", "6", 1), "frame checksum: want ", hdlc.ErrChecksum},
		{"wrong frame checksum", a[:last-1] + "\x00\x7E", "frame checksum: want ", hdlc.ErrChecksum},
		{"no end flag", a[:last] + "\x00", "no end flag at the length", hdlc.ErrMalformed},
		{"a byte after the frame", a + "\x7E", "no end flag at the length", hdlc.ErrMalformed},
		{"a byte that no checksum covers", uncovered, "", hdlc.ErrMalformed},
	} {
		got, err := hdlc.Parse([]byte(tt.in))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "hdlc: ") {
			t.Errorf("%s: got error %v, want an error with %q", tt.name, err, tt.want)
		}
		if !errors.Is(err, tt.kind) {
			t.Errorf("%s: got error %v, want an error that matches %v", tt.name, err, tt.kind)
		}
		if diff := cmp.Diff(hdlc.Frame{}, got); diff != "" {
			t.Errorf("%s: got a frame with the error, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestParseAliases tests that a Frame aliases the bytes that were parsed.
func TestParseAliases(t *testing.T) {
	b := []byte(encode(frame("one")))
	f, err := hdlc.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if b[9] = 'X'; string(f.Info) != "Xne" {
		t.Errorf("got Info %q after a change of the parsed bytes, want Xne", f.Info)
	}
}

// intactFrames returns all intact frames that begin anywhere in a stream.
func intactFrames(stream string) (frames []string) {
	for i := range stream {
		n := hdlc.Length([]byte(stream[i:]))
		if n <= 0 {
			continue
		}
		if _, err := hdlc.Parse([]byte(stream[i : i+n])); err == nil {
			frames = append(frames, stream[i:i+n])
		}
	}
	return frames
}

// TestFlippedBits tests that no frame is read from a frame with one flipped bit, and that the intact frame after it is found.
func TestFlippedBits(t *testing.T) {
	for _, f := range []hdlc.Frame{
		frame("\xE6\xE7\x00\x0F\x40 \x7E some information \x7E\xA0"),
		{Destination: []byte{2, 4, 6, 1}, Source: []byte{2, 1}, Control: 0x93},
	} {
		good, next := hdlc.Append(nil, f), encode(frame("the next one"))
		for bit := range 8 * len(good) {
			flipped := bytes.Clone(good)
			flipped[bit/8] ^= 1 << (bit % 8)
			if got, err := hdlc.Parse(flipped); err == nil {
				t.Fatalf("bit %d of byte %d flipped: got %+v", bit%8, bit/8, got)
			}
			got := intactFrames(string(flipped) + next)
			if diff := cmp.Diff([]string{next}, got); diff != "" {
				t.Fatalf("bit %d of byte %d flipped, frames in the stream, -want +got:\n%q", bit%8, bit/8, diff)
			}
		}
	}
}
