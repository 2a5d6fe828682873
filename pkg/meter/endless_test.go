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

// A patient reader gives so many bytes of a pattern, and gives up when their decoder takes too long over them.
type patient struct {
	pattern   []byte
	at, total int
	until     time.Time
	longest   int // the most that was asked for at once
}

var errSlow = errors.New("too slow")

func (p *patient) Read(b []byte) (int, error) {
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

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// text is random letters, digits and marks, in lines.
func text(n int) []byte {
	b := random(n)
	for i := range b {
		if b[i] = ' ' + b[i]%('~'-' '); i%70 == 69 {
			b[i] = '\n'
		}
	}
	return b
}

// TestEndless: a stream that never ends a telegram costs bounded memory, and time in proportion to its length: a port of
// 115200 baud brings 11520 bytes a second. A minute is a hundred times what it takes, and less than a search that begins anew
// at every byte would take.
func TestEndless(t *testing.T) {
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
		{name: "random text", pattern: text(1 << 20)},
		{name: "one identification and text, byte by byte", pattern: append([]byte("/ABC5\r\n"), bytes.Repeat([]byte("x"), total)...), byByte: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &patient{pattern: tt.pattern, total: total, until: time.Now().Add(time.Minute)}
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
				t.Errorf("the decoder holds %d bytes more than before, and asked for %d at once", grown, p.longest)
			}
			runtime.KeepAlive(d)
		})
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
