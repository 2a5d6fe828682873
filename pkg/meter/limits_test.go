package meter_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
)

// A limitedReader returns total bytes of a pattern that repeats. After the time until it returns errSlow.
type limitedReader struct {
	pattern   []byte
	at, total int
	until     time.Time
	longest   int // the longest buffer of a Read
}

var errSlow = errors.New("the decoder takes too long")

func (p *limitedReader) Read(b []byte) (int, error) {
	p.longest = max(p.longest, len(b))
	switch {
	case time.Now().After(p.until):
		return 0, errSlow
	case p.at >= p.total:
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.total-p.at)], p.pattern[p.at%len(p.pattern):])
	p.at += n
	return n, nil
}

// random returns n random bytes, always the same.
func random(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// randomText returns n random printable characters, in lines.
func randomText(n int) []byte {
	b := random(n)
	for i := range b {
		if b[i] = ' ' + b[i]%('~'-' '); i%70 == 69 {
			b[i] = '\n'
		}
	}
	return b
}

// TestStreamsWithoutEnd tests that a stream without a complete telegram takes bounded memory, and time in proportion to its length. The
// limit of a minute is a hundred times what the Decoder needs, and less than a search that begins again at every byte needs.
func TestStreamsWithoutEnd(t *testing.T) {
	const total = 2 << 20
	for _, tt := range []struct {
		name    string
		pattern []byte
		byByte  bool
	}{
		{name: "one identification and text without end", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("x"), total)...)},
		{name: "lines without end", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("1-0:1.8.0(00000001.000*kWh)\r\n"), total/29)...)},
		{name: "identifications", pattern: []byte("/ABC5\r\n\r\n")},
		{name: "slashes", pattern: bytes.Repeat([]byte("/"), 4096)},
		{name: "slashes in lines", pattern: []byte("/\n")},
		{name: "slashes with letters", pattern: []byte("/ABC")},
		{name: "marks", pattern: bytes.Repeat([]byte("!"), 4096)},
		{name: "slashes and marks in lines", pattern: append(bytes.Repeat([]byte("/"), 8000), "\n!0000\n"...)},
		{name: "flags", pattern: bytes.Repeat([]byte("~"), 4096)},
		{name: "beginnings of frames", pattern: []byte("~\xA7\xFF")},
		{name: "headers of frames", pattern: []byte("~\xA7\xFF\x41\x08\x83\x13")},
		{name: "random bytes", pattern: random(1 << 20)},
		{name: "random text", pattern: randomText(1 << 20)},
		{name: "one identification and text, byte by byte", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("x"), total)...), byByte: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &limitedReader{pattern: tt.pattern, total: total, until: time.Now().Add(time.Minute)}
			var r io.Reader = p
			if tt.byByte {
				p.total, r = total/50, iotest.OneByteReader(p)
			}
			before := heap()
			d := meter.NewDecoder(r, meter.Options{AcceptUnverified: true})
			damaged := 0
			for {
				reading, err := d.Next()
				var e *meter.TelegramError
				if errors.As(err, &e) {
					damaged++
					continue
				}
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v after %d of %d bytes and %d damaged telegrams", err, p.at, p.total, damaged)
				}
				t.Fatalf("a reading of nothing: %s", describe(reading))
			}
			if grown := int64(heap()) - int64(before); grown > 1<<20 || p.longest > 1<<16 {
				t.Errorf("the Decoder holds %d bytes more than before, and read up to %d at once", grown, p.longest)
			}
			runtime.KeepAlive(d)
		})
	}
}

// heap returns how many bytes of the heap are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
