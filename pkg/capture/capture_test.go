package capture_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/capture"
)

// TestChunkAppend tests that a chunk is written as a line with its time, cut to milliseconds.
func TestChunkAppend(t *testing.T) {
	c := capture.Chunk{At: time.Date(2026, 11, 22, 10, 15, 20, 125_999_000, time.FixedZone("", 3600)), Bytes: []byte("\x7e\xa2C")}
	if got, want := string(c.Append(nil)), "2026-11-22T10:15:20.125+01:00 7ea243\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCaptureRoundTrip tests that Next returns the chunks that Append wrote, also if the lines end with CR LF.
func TestCaptureRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got []capture.Chunk
		text := []byte(capture.FirstLinePrefix + "\n")
		for _, b := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 1, 40)).Draw(t, "reads") {
			at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC()
			want = append(want, capture.Chunk{At: at, Bytes: b})
			text = want[len(want)-1].Append(text)
		}
		file := string(text)
		if rapid.Bool().Draw(t, "CR LF") {
			file = strings.ReplaceAll(file, "\n", "\r\n")
		}
		for c := capture.NewReader(strings.NewReader(file)); ; {
			next, err := c.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, capture.Chunk{At: next.At, Bytes: append([]byte{}, next.Bytes...)})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-written +read:\n%s", diff)
		}
	})
}

// TestReaderOfOtherForms tests that a Reader returns the bytes of recordings that are not captures, without times.
func TestReaderOfOtherForms(t *testing.T) {
	for _, in := range []string{"7EA2434108831385EB", "\x7e\xa2C"} {
		c := capture.NewReader(strings.NewReader(in))
		got, err := c.Next()
		if err != nil || !got.At.IsZero() || !strings.HasPrefix(string(got.Bytes), "\x7e\xa2C") {
			t.Errorf("%q: got %x with time %v, error %v; want the bytes without a time", in, got.Bytes, got.At, err)
		}
		if _, err := c.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q: got %v at the end, want EOF", in, err)
		}
	}
}

// TestDamagedCapture tests that a damaged line gives an error that names the file and the line, and that the chunks before the line are
// returned.
func TestDamagedCapture(t *testing.T) {
	const header = capture.FirstLinePrefix + " 1\n2026-11-22T10:15:20.125+01:00 7ea2\n"
	for _, tt := range []struct{ name, line, want string }{
		{"no time", "7ea243410883", `:3: the line does not begin with a time: "7ea243410883" `},
		{"no bytes", "2026-11-22T10:15:20.125+01:00", ":3: no bytes in hexadecimal after the time"},
		{"half a byte", "2026-11-22T10:15:20.125+01:00 7ea", ":3: no bytes in hexadecimal after the time"},
		{"not hexadecimal", "2026-11-22T10:15:20.125+01:00 7eg2\n", ":3: no bytes in hexadecimal after the time"},
		{"month 13", "\n2026-13-22T10:15:20.125+01:00 7ea2\n", ":4: the line does not begin with a time"},
		{"line too long", strings.Repeat("7", 1<<18), ":3: longer than any line of a capture"},
	} {
		path := filepath.Join(t.TempDir(), "house.txt")
		if err := os.WriteFile(path, []byte(header+tt.line), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(capture.NewBytesReader(f))
		if string(got) != "\x7e\xa2" || err == nil || !strings.Contains(err.Error(), "house.txt"+tt.want) || len(err.Error()) > 300 {
			t.Errorf("%s: got %x, error %v; want 7ea2 and an error with %q", tt.name, got, err, tt.want)
		}
		if !errors.Is(err, capture.ErrMalformed) {
			t.Errorf("%s: got error %v, want an error that matches ErrMalformed", tt.name, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzBytes tests that the number of bytes is at most the number of characters, plus 64 KiB for each line * of a dump.
func FuzzBytes(f *testing.F) {
	f.Add("7E A2 43 41 08 83 13 85 EB")
	f.Add("0x7E, 0xA2, 0x43, 0x41, 0x8, 0x83, 0x13, 0x85, 0xF")
	f.Add(capture.FirstLinePrefix + "\r\n2026-11-22T10:15:20.125Z 7EA24341\r\n# more\n\n2026-11-22T10:15:20.135Z 08831385EB")
	f.Add("/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!6BB0\r\n")
	f.Add(`/ADN9 6534\r\n\r\n1-0:1.7.0(0000.345*kW)\r\n!\x36BB0\r\n`)
	f.Add("0000010\n000000f\n")
	f.Add("[12:00:01] RX: 7E A2 43 41 08 83 13 85 EB\n[12:00:02] RX: 7E A2 43 41 08 83 13 85 EB\n")
	f.Add(`{"data":[126,162,67,65,8,131,19,133,235,1,2,3,4,5,6,7]}`)
	f.Add(`read: b'~\xa2C\x08\x83\x13\x85\r\n\'' "\xeb\r\n"`)
	f.Add("00000000: 01111110 10100010 01000011 01000001 00001000 10000011  ~.CA..\n00000006: 00010011  .\n")
	f.Add("00000000: 4143a27e 85138308      eb  ~.CA.....\n")
	f.Add("0000000 a27e 4143 8308 8513 00eb\n0000009\n")
	f.Add("00000000: 7ea2 4341 0883  ~.CA..\n*\n00000018: 1385  ..\n")
	f.Add("0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n7fffff0\n")
	f.Fuzz(func(t *testing.T, text string) {
		maxBytes := len(text) + strings.Count(text, "*")<<16
		if got, _ := io.ReadAll(capture.NewBytesReader(strings.NewReader(text))); len(got) > maxBytes {
			t.Fatalf("got %d bytes from a text of %d bytes, want at most %d", len(got), len(text), maxBytes)
		}
	})
}
