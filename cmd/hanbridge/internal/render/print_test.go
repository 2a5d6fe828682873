package render

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

var formats = []string{"table", "json", "csv"}

// recording returns telegrams of a family, of at least size bytes.
func recording(t testing.TB, family string, size int) []byte {
	t.Helper()
	f, ok := simulate.Named(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	var b []byte
	for m := simulate.NewMeter(f, 1, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)); len(b) < size; {
		_, telegram := m.Next()
		b = append(b, telegram...)
	}
	return b
}

// BenchmarkDecode measures how long decode takes for a file. Its output is discarded.
func BenchmarkDecode(b *testing.B) {
	for _, family := range []string{"aidon-se", "p1-nl-5", "kamstrup-no"} {
		in := recording(b, family, 1<<20)
		for _, format := range formats {
			b.Run(family+"/"+format, func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				for b.Loop() {
					p := &cli.Program{In: bytes.NewReader(in), Out: io.Discard, Err: io.Discard}
					if err := Decode(p, nil, format, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// TestFlatMemory tests that a recording sixteen times as long needs no more memory.
func TestFlatMemory(t *testing.T) {
	const size, maxGrowth = 16 << 20, 4 << 20
	piece := recording(t, "p1-nl-5", 1<<20)
	for _, format := range formats {
		var before, after runtime.MemStats
		in := &repeatingReader{piece: piece, remaining: size, afterFirst: func() { runtime.GC(); runtime.ReadMemStats(&before) }}
		p := &cli.Program{In: in, Out: io.Discard, Err: io.Discard}
		if err := Decode(p, nil, format, nil); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if growth := int64(after.HeapSys) - int64(before.HeapSys); growth > maxGrowth {
			t.Errorf("%s: the heap grew by %d bytes while %d bytes were decoded", format, growth, size)
		}
	}
}

// repeatingReader is a reader that repeats a piece until at least remaining bytes are read. It calls afterFirst after the first piece.
type repeatingReader struct {
	piece      []byte
	remaining  int
	offset     int
	afterFirst func()
}

func (r *repeatingReader) Read(p []byte) (int, error) {
	if r.remaining <= 0 {
		return 0, io.EOF
	}
	if r.offset == len(r.piece) {
		if r.offset = 0; r.afterFirst != nil {
			r.afterFirst()
			r.afterFirst = nil
		}
	}
	n := copy(p, r.piece[r.offset:])
	r.offset, r.remaining = r.offset+n, r.remaining-n
	if r.remaining <= 0 { // the input ends with a whole piece
		r.remaining = len(r.piece) - r.offset
	}
	return n, nil
}

// TestPrintedAtOnce tests that a telegram from a pipe is printed before the next one arrives.
func TestPrintedAtOnce(t *testing.T) {
	for _, family := range []string{"aidon-se", "p1-nl-5"} {
		for _, format := range formats {
			in, wire := io.Pipe()
			printed := make(chan []byte, 100)
			p := &cli.Program{In: in, Out: chanWriter(printed), Err: io.Discard}
			done := make(chan error, 1)
			go func() { done <- Decode(p, nil, format, nil) }()
			f, _ := simulate.Named(family)
			m := simulate.NewMeter(f, 1, time.Now())
			for i := range 3 {
				_, telegram := m.Next()
				if _, err := wire.Write(telegram); err != nil {
					t.Fatal(err)
				}
				select {
				case b := <-printed:
					if len(b) == 0 {
						t.Errorf("%s, %s: telegram %d: an empty write", family, format, i+1)
					}
				case <-time.After(time.Minute):
					t.Fatalf("%s, %s: telegram %d is not printed", family, format, i+1)
				}
			}
			_ = wire.Close() // never returns an error
			if err := <-done; err != nil {
				t.Errorf("%s, %s: %v", family, format, err)
			}
		}
	}
}

// A chanWriter sends a copy of each write on a channel.
type chanWriter chan []byte

func (w chanWriter) Write(b []byte) (int, error) {
	w <- bytes.Clone(b)
	return len(b), nil
}

// TestAppendString tests that JSON strings equal those of encoding/json, and contain no character that controls a terminal.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\x00-\x1f\x7f-\x9f\\"<>&]*`)).Draw(t, "text")
		got := appendString(nil, s)
		var decoded string
		if err := json.Unmarshal(got, &decoded); err != nil || decoded != s {
			t.Fatalf("%q: got %s, which reads back as %q, %v", s, got, decoded, err)
		}
		if strings.ContainsFunc(string(got), safetext.NeedsEscape) {
			t.Fatalf("%q: got %q, which contains a character that must be escaped", s, got)
		}
	})
}

// TestCSVFields tests that CSV fields equal those of encoding/csv.
func TestCSVFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[ -~]*`), rapid.StringMatching(`[ ",.a\\]*`)).Draw(t, "field")
		var want bytes.Buffer
		w := csv.NewWriter(&want)
		_ = w.Write([]string{s, "x"}) // writing to memory does not fail
		w.Flush()
		if got := string((&csvRows{}).append(nil, []byte(s), ',')) + "x\n"; got != want.String() {
			t.Fatalf("got %q, want %q", got, &want)
		}
	})
}
