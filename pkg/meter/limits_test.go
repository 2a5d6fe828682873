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

// A limitedReader returns total bytes of a pattern that repeats. After the deadline, it returns errSlow.
type limitedReader struct {
	pattern   []byte
	at, total int
	deadline  time.Time
	longest   int // the length of the longest buffer that Read was called with
}

var errSlow = errors.New("the decoder takes too long")

func (p *limitedReader) Read(b []byte) (int, error) {
	p.longest = max(p.longest, len(b))
	switch {
	case time.Now().After(p.deadline):
		return 0, errSlow
	case p.at >= p.total:
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.total-p.at)], p.pattern[p.at%len(p.pattern):])
	p.at += n
	return n, nil
}

// random returns n random bytes. They are the same in each call.
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

// TestStreamsWithoutEnd tests that a stream without a complete telegram needs bounded memory, and time in proportion to its length. The deadline
// of a minute is a hundred times the time that the Decoder needs. A Decoder that reads all bytes again after each byte would exceed the deadline.
func TestStreamsWithoutEnd(t *testing.T) {
	const total = 2 << 20
	for _, tt := range []struct {
		name    string
		pattern []byte
		byByte  bool // each Read returns one byte
	}{
		{name: "identification line and text without end", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("x"), total)...)},
		{name: "identification line and data lines without end", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("1-0:1.8.0(00000001.000*kWh)\r\n"), total/29)...)},
		{name: "identification lines", pattern: []byte("/ABC5\r\n\r\n")},
		{name: "slashes", pattern: bytes.Repeat([]byte("/"), 4096)},
		{name: "slashes in lines", pattern: []byte("/\n")},
		{name: "slashes with letters", pattern: []byte("/ABC")},
		{name: "exclamation marks", pattern: bytes.Repeat([]byte("!"), 4096)},
		{name: "slashes and exclamation marks in lines", pattern: append(bytes.Repeat([]byte("/"), 8000), "\n!0000\n"...)},
		{name: "flags", pattern: bytes.Repeat([]byte("~"), 4096)},
		{name: "first bytes of HDLC frames", pattern: []byte("~\xA7\xFF")},
		{name: "headers of HDLC frames", pattern: []byte("~\xA7\xFF\x41\x08\x83\x13")},
		{name: "random bytes", pattern: random(1 << 20)},
		{name: "random text", pattern: randomText(1 << 20)},
		{name: "identification line and text, byte by byte", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("x"), total)...), byByte: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &limitedReader{pattern: tt.pattern, total: total, deadline: time.Now().Add(time.Minute)}
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
				t.Fatalf("got a reading, want none: %s", describe(reading))
			}
			if grown := int64(heap()) - int64(before); grown > 1<<20 || p.longest > 1<<16 {
				t.Errorf("the heap has grown by %d bytes, and the longest Read had %d bytes; want at most %d and %d", grown, p.longest, 1<<20, 1<<16)
			}
			runtime.KeepAlive(d)
		})
	}
}

// heap returns the number of bytes of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
