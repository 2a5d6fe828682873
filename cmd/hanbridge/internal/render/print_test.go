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

// recording returns telegrams of a simulated meter with a total length of at least size bytes.
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

// BenchmarkDecode measures Decode without the time for writing the output.
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

// TestFlatMemory tests that the heap grows by at most 4 MiB while the last 15 of 16 MiB of input are decoded.
func TestFlatMemory(t *testing.T) {
	const repeats, maxGrowth = 16, 4 << 20
	block := recording(t, "p1-nl-5", 1<<20)
	for _, format := range formats {
		var before, after runtime.MemStats
		in := &repeatingReader{block: block, repeats: repeats, afterFirst: func() { runtime.GC(); runtime.ReadMemStats(&before) }}
		p := &cli.Program{In: in, Out: io.Discard, Err: io.Discard}
		if err := Decode(p, nil, format, nil); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if growth := int64(after.HeapSys) - int64(before.HeapSys); growth > maxGrowth {
			t.Errorf("%s: the heap grew by %d bytes while %d bytes were decoded, want at most %d", format, growth, (repeats-1)*len(block), maxGrowth)
		}
	}
}

// repeatingReader delivers block as often as repeats says. It calls afterFirst when the first block was read.
type repeatingReader struct {
	block      []byte
	repeats    int
	afterFirst func()
	started    int    // number of blocks of which at least a byte was read
	unread     []byte // the rest of the present block
}

func (r *repeatingReader) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		if r.started == r.repeats {
			return 0, io.EOF
		}
		if r.started == 1 {
			r.afterFirst()
		}
		r.unread = r.block
		r.started++
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// TestPrintedBeforeNext tests that a telegram from a pipe is printed before the next telegram arrives.
func TestPrintedBeforeNext(t *testing.T) {
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
						t.Errorf("%s, %s: telegram %d: got an empty write", family, format, i+1)
					}
				case <-time.After(time.Minute):
					t.Fatalf("%s, %s: telegram %d was not printed within a minute", family, format, i+1)
				}
			}
			_ = wire.Close() // never returns an error
			if err := <-done; err != nil {
				t.Errorf("%s, %s: Decode: got error %v, want none", family, format, err)
			}
		}
	}
}

// chanWriter sends a copy of each write on a channel.
type chanWriter chan []byte

func (w chanWriter) Write(b []byte) (int, error) {
	w <- bytes.Clone(b)
	return len(b), nil
}

// TestAppendString tests that encoding/json decodes the JSON strings, and that they contain no character that controls a terminal.
func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\x00-\x1f\x7f-\x9f\\"<>&]*`)).Draw(t, "text")
		got := appendString(nil, s)
		var decoded string
		if err := json.Unmarshal(got, &decoded); err != nil || decoded != s {
			t.Fatalf("%q: got %s, which is decoded as %q, error %v", s, got, decoded, err)
		}
		if strings.ContainsFunc(string(got), safetext.NeedsEscape) {
			t.Fatalf("%q: got %q, which contains a character that must be escaped", s, got)
		}
	})
}

// TestCSVFields tests that CSV fields are the same as those of encoding/csv.
func TestCSVFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[ -~]*`), rapid.StringMatching(`[ ",.a\\]*`)).Draw(t, "field")
		var want bytes.Buffer
		w := csv.NewWriter(&want)
		_ = w.Write([]string{s, "x"}) // writing to memory does not fail
		w.Flush()
		if got := string((&csvRows{}).appendField(nil, []byte(s), ',')) + "x\n"; got != want.String() {
			t.Fatalf("line: got %q, want %q", got, &want)
		}
	})
}
