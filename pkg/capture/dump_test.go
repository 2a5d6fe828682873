package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/capture"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// dumped writes bytes b as dump programs do. Each group of bytes is written as one number, little-endian if little is true. offset is the
// format of offsets. after returns the text after the digits of a line, given its bytes. If end is true, the last line is only the offset
// after b.
func dumped(b []byte, offset string, group int, little bool, end bool, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		fmt.Fprintf(&out, offset, at)
		for i := 0; i < len(row); i += group {
			one := bytes.Clone(row[i:min(i+group, len(row))])
			if little {
				one = append(one, make([]byte, group-len(one))...)
				for a, z := 0, len(one)-1; a < z; a, z = a+1, z-1 {
					one[a], one[z] = one[z], one[a]
				}
			}
			fmt.Fprintf(&out, " %x", one)
		}
		out.WriteString(after(row) + "\n")
	}
	if end {
		fmt.Fprintf(&out, offset+"\n", len(b))
	}
	return out.String()
}

// characters returns the bytes as the characters at the end of a line of a dump.
func characters(b []byte) string {
	b = bytes.Clone(b)
	for i, x := range b {
		if x < ' ' || x > '~' {
			b[i] = '.'
		}
	}
	return string(b)
}

// dumpedOctal writes bytes as od does: in octal. A number is one byte if group is 1, and two bytes, little-endian, if group is 2.
func dumpedOctal(b []byte, group int) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		fmt.Fprintf(&out, "%07o", at)
		for i := 0; i < len(row); i += group {
			if group == 1 {
				fmt.Fprintf(&out, " %03o", row[i])
				continue
			}
			fmt.Fprintf(&out, " %06o", binary.LittleEndian.Uint16(append(bytes.Clone(row[i:min(i+2, len(row))]), 0)))
		}
		out.WriteString("\n")
	}
	fmt.Fprintf(&out, "%07o\n", len(b))
	return out.String()
}

// dumpedBinary writes bytes as xxd -b does.
func dumpedBinary(b []byte, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 6 {
		row := b[at:min(at+6, len(b))]
		fmt.Fprintf(&out, "%08x: %-53s%s\n", at, joined(row, "%08b", " "), after(row))
	}
	return out.String()
}

// dumpedLittleEndian writes bytes as xxd -e does: little-endian, with blanks for the missing bytes of the last number.
func dumpedLittleEndian(b []byte, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		var numbers string
		for one := range slices.Chunk(row, 4) {
			one = bytes.Clone(one)
			slices.Reverse(one)
			numbers += fmt.Sprintf(" %8x", one)
		}
		fmt.Fprintf(&out, "%08x:%-36s%s\n", at, numbers, after(row))
	}
	return out.String()
}

// TestBytesOfDumps tests that dumps of all programs and options give their bytes.
func TestBytesOfDumps(t *testing.T) {
	nothing := func([]byte) string { return "" }
	bars := func(b []byte) string { return "  |" + characters(b) + "|" }
	blanks := func(b []byte) string { return "  " + characters(b) }
	angle := func(b []byte) string { return "  >" + characters(b) + "<" }
	for _, family := range []string{"aidon-se", "p1-nl-5", "kaifa-no"} {
		f, ok := simulate.Named(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		_, even := simulate.NewMeter(f, 1, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)).Next()
		even = bytes.Clone(even)
		if len(even)%2 != 0 {
			even = append(even, '\n')
		}
		odd := append(bytes.Clone(even), '\n')
		for _, want := range [][]byte{even, odd, append(bytes.Clone(odd), "\r\n"...), append(bytes.Clone(odd), "\r\n\r\n"...)} {
			for name, text := range map[string]string{
				"hexdump":                            dumped(want, "%07x", 2, true, true, nothing),
				"hexdump -x":                         strings.ReplaceAll(dumped(want, "%07x", 2, true, true, nothing), " ", "    "),
				"hexdump -C":                         dumped(want, "%08x ", 1, false, true, bars),
				"xxd":                                dumped(want, "%08x:", 2, false, false, blanks),
				"xxd -u":                             strings.ToUpper(dumped(want, "%08x:", 2, false, false, nothing)),
				"xxd -g 4":                           dumped(want, "%08x:", 4, false, false, blanks),
				"xxd -g 3":                           dumped(want, "%08x:", 3, false, false, blanks),
				"xxd -g 16":                          dumped(want, "%08x:", 16, false, false, blanks),
				"xxd -b":                             dumpedBinary(want, blanks),
				"xxd -e":                             dumpedLittleEndian(want, blanks),
				"xxd -g 1":                           dumped(want, "%08x:", 1, false, false, blanks),
				"od -x":                              dumped(want, "%07o", 2, true, true, nothing),
				"od":                                 dumpedOctal(want, 2),
				"od -b":                              dumpedOctal(want, 1),
				"od -t x4":                           dumped(want, "%07o", 4, true, true, nothing),
				"od -t x8":                           dumped(want, "%07o", 8, true, true, nothing),
				"od -t x1":                           dumped(want, "%07o", 1, false, true, nothing),
				"od -A x -t x1z":                     dumped(want, "%06x", 1, false, true, angle),
				"od -A d -t x2":                      dumped(want, "%07d", 2, true, true, nothing),
				"big-endian hexdump":                 dumped(want, "%07x", 2, false, true, nothing),
				"hexdump, lines that end with CR LF": strings.ReplaceAll(dumped(want, "%07x", 2, true, true, nothing), "\n", "\r\n"),
				"hexdump after a prompt":             "$ hexdump telegram\n" + dumped(want, "%07x", 2, true, true, nothing),
				"xxd -p":                             fmt.Sprintf("%x\n", want),
			} {
				t.Run(fmt.Sprintf("%s %d %s", family, len(want)%2, name), func(t *testing.T) {
					got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
					if name == "big-endian hexdump" { // this form does not show whether the last number is padded
						got = got[:min(len(got), len(want))]
					}
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("got %d bytes %.40x…, %v, want %d bytes %.40x…; of\n%.200s", len(got), got, err, len(want), want, text)
					}
				})
			}
		}
	}
}

// TestBytesRepeated tests that the line before a line * is repeated up to the offset of the line after it, but for at most 64 KiB.
func TestBytesRepeated(t *testing.T) {
	tests := []struct {
		name, text string
		want       int // bytes
	}{
		{"three equal lines", "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000030\n", 48},
		{"a gap of 2 GB", "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n7fffff0\n", 16 + 1<<16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || len(got) != tt.want {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, tt.want)
			}
		})
	}
}

// TestBytesRepeatedLimit tests that many lines * together do not give more bytes than the limit of a dump.
func TestBytesRepeatedLimit(t *testing.T) {
	var text strings.Builder
	for at := range 1000 {
		fmt.Fprintf(&text, "%08x 00\n*\n", at<<16)
	}
	got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text.String())))
	if err != nil || len(got) < 16<<20 || len(got) > 17<<20 {
		t.Errorf("got %d bytes, %v, want 16 to 17 MiB", len(got), err)
	}
}

// TestBytesTooLong tests that a dump of more than 16 MiB of text is an error.
func TestBytesTooLong(t *testing.T) {
	text := "00000000 00\n00000001 00\n" + strings.Repeat("\n", 16<<20)
	got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
	if !errors.Is(err, capture.ErrTooLong) || len(got) > 0 {
		t.Errorf("got %d bytes and error %v, want one that matches ErrTooLong", len(got), err)
	}
}

// TestBytesNotDump tests that hexadecimal text is not taken for a dump if its lines only seem to begin with offsets.
func TestBytesNotDump(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"groups of four digits", "0000 0001 0203 0405 0607 0809\n0000 0001 0203 0405 0607 0809\n", "\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"},
		{"a second number that does not fit as an offset", "00000000 0001020304050607\n00000012 0001020304050607\n", "\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07"},
		{"only offsets, one too small", "00000010\n0000000f\n", "\x00\x00\x00\x10\x00\x00\x00\x0f"},
		{"digits that are all 0 and 1", "00000000 01111110 10100010 01000011\n00000000 01111110 10100010 01000011\n", "\x00\x00\x00\x00\x01\x11\x11\x10"},
		{"one line", "00000000 7ea02a41 08831304\n", "\x00\x00\x00\x00\x7e\xa0\x2a\x41\x08\x83\x13\x04"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || !strings.HasPrefix(string(got), tt.want) {
				t.Errorf("got %x, %v, want bytes that begin with %x", got, err, tt.want)
			}
		})
	}
}
