package mbus_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/pkg/internal/framing/framingtest"
	"github.com/hanbridge/hanbridge/pkg/mbus"
)

func seeds(f *testing.F) {
	a := wire(frame("\xDB\x08TITLE890\x00"))
	f.Add([]byte(a))
	f.Add([]byte(a[:7] + a + "\x68\x68"))
	f.Add([]byte(wire(frame(strings.Repeat("\x68", 252))) + a))
	f.Add([]byte("\x68\x01\x01\x68\x53\xFF"))
}

// FuzzSplit: every frame is a part of the stream and bounded; how the bytes arrive does not matter.
func FuzzSplit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, b := range framingtest.Chunks(t, mbus.Split, stream) {
			if len(b) > mbus.MaxLength || b[0] != mbus.Start || !bytes.Contains(stream, []byte(b)) {
				t.Fatalf("% x is not a frame of % x", b, stream)
			}
		}
	})
}

// FuzzParse: no panic, and what is accepted is written back byte by byte.
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
