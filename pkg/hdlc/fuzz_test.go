package hdlc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/hdlc"
	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
)

// seeds adds frames, truncated frames, and frames that share a flag.
func seeds(f *testing.F) {
	a := encode(frame("\xE6\xE7\x00\x0F\x40\x00\x00\x00\x00"))
	f.Add([]byte(a))
	f.Add([]byte(a + a[1:]))
	f.Add([]byte(a[:7] + a + "\x7E\x7E"))
	f.Add([]byte(encode(hdlc.Frame{Destination: []byte{3}, Source: []byte{0x21}, Control: 0x93}) + a[1:]))
	f.Add([]byte("\x7E\xA7\xFF\x41\x08\x83\x13"))
}

// FuzzLength tests that a length is at most MaxLength and at most the length of the input, and that more bytes never change a length
// other than 0.
func FuzzLength(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		framingtest.Final(t, hdlc.Length, b)
		if n := hdlc.Length(b); n > hdlc.MaxLength || n > len(b) {
			t.Fatalf("Length = %d, want at most MaxLength and %d", n, len(b))
		}
	})
}

// FuzzParse tests that Append writes the same bytes for each frame that Parse accepts.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := hdlc.Parse(b)
		if err != nil {
			return
		}
		if diff := cmp.Diff(b, hdlc.Append(nil, got)); diff != "" {
			t.Fatalf("-read +written:\n%s", diff)
		}
	})
}
