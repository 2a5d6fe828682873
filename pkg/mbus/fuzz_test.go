package mbus_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

// seeds adds frames, and truncated frames.
func seeds(f *testing.F) {
	a := encode(frame("\xDB\x08TITLE890\x00"))
	f.Add([]byte(a))
	f.Add([]byte(a[:7] + a + "\x68\x68"))
	f.Add([]byte(encode(frame(strings.Repeat("\x68", 252))) + a))
	f.Add([]byte("\x68\x01\x01\x68\x53\xFF"))
}

// FuzzLength tests that a length is at most MaxLength and at most the length of the input, and that more bytes never change a length
// other than 0.
func FuzzLength(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		framingtest.Final(t, mbus.Length, b)
		if n := mbus.Length(b); n > mbus.MaxLength || n > len(b) {
			t.Fatalf("Length = %d, want at most MaxLength and %d", n, len(b))
		}
	})
}

// FuzzParse tests that Append writes the same bytes for each frame that Parse accepts.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := mbus.Parse(b)
		if err != nil {
			return
		}
		if diff := cmp.Diff(b, mbus.Append(nil, got)); diff != "" {
			t.Fatalf("-read +written:\n%s", diff)
		}
	})
}
