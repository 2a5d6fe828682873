package mbus_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

func seeds(f *testing.F) {
	a := encode(frame("\xDB\x08TITLE890\x00"))
	f.Add([]byte(a))
	f.Add([]byte(a[:7] + a + "\x68\x68"))
	f.Add([]byte(encode(frame(strings.Repeat("\x68", 252))) + a))
	f.Add([]byte("\x68\x01\x01\x68\x53\xFF"))
}

// FuzzLength: a length is at most MaxLength and at most the length of the input, and more bytes never change it.
func FuzzLength(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		framingtest.Final(t, mbus.Length, b)
		if n := mbus.Length(b); n > mbus.MaxLength || n > len(b) {
			t.Fatalf("Length = %d of %d bytes", n, len(b))
		}
	})
}

// FuzzParse: Parse never panics, and Append writes each frame that Parse accepts back byte by byte.
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
