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

// dumped returns a dump of b. Each group of bytes is one number, little-endian if littleEndian is true. offset is the format of offsets. after
// returns the text after the digits of a line, given the bytes of the line. If endOffset is true, the last line has only the offset of the end.
func dumped(b []byte, offset string, group int, littleEndian, endOffset bool, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		fmt.Fprintf(&out, offset, at)
		for i := 0; i < len(row); i += group {
			number := bytes.Clone(row[i:min(i+group, len(row))])
			if littleEndian {
				number = append(number, make([]byte, group-len(number))...)
				slices.Reverse(number)
			}
			fmt.Fprintf(&out, " %x", number)
		}
		out.WriteString(after(row) + "\n")
	}
	if endOffset {
		fmt.Fprintf(&out, offset+"\n", len(b))
	}
	return out.String()
}

// characters returns b with a point in place of each byte that is not printable, as at the end of a line of a dump.
func characters(b []byte) string {
	b = bytes.Clone(b)
	for i, x := range b {
		if x < ' ' || x > '~' {
			b[i] = '.'
		}
	}
	return string(b)
}

// dumpedOctal returns an octal dump of b, as od writes it. group is the number of bytes of a number: 1, or 2 for little-endian numbers.
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

// dumpedBinary returns a dump of b as xxd -b writes it.
func dumpedBinary(b []byte, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 6 {
		row := b[at:min(at+6, len(b))]
		fmt.Fprintf(&out, "%08x: %-53s%s\n", at, joined(row, "%08b", " "), after(row))
	}
	return out.String()
}

// dumpedLittleEndian returns a dump of b as xxd -e writes it: little-endian, with blanks for the missing bytes of the last number.
func dumpedLittleEndian(b []byte, after func([]byte) string) string {
	var out strings.Builder
	for at := 0; at < len(b); at += 16 {
		row := b[at:min(at+16, len(b))]
		var numbers string
		for number := range slices.Chunk(row, 4) {
			number = bytes.Clone(number)
			slices.Reverse(number)
			numbers += fmt.Sprintf(" %8x", number)
		}
		fmt.Fprintf(&out, "%08x:%-36s%s\n", at, numbers, after(row))
	}
	return out.String()
}

// TestBytesOfDumps tests that the bytes of dumps of several programs with several options are returned.
func TestBytesOfDumps(t *testing.T) {
	noText := func([]byte) string { return "" }
	bars := func(b []byte) string { return "  |" + characters(b) + "|" }
	blanks := func(b []byte) string { return "  " + characters(b) }
	angle := func(b []byte) string { return "  >" + characters(b) + "<" }
	for _, family := range []string{"aidon-se", "p1-nl-5", "kaifa-no"} {
		f, ok := simulate.Named(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		// even and odd are telegrams of an even and an odd number of bytes, because some dumps pad the last of their numbers.
		_, even := simulate.NewMeter(f, 1, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)).Next()
		even = bytes.Clone(even)
		if len(even)%2 != 0 {
			even = append(even, '\n')
		}
		odd := append(bytes.Clone(even), '\n')
		for _, want := range [][]byte{even, odd, append(bytes.Clone(odd), "\r\n"...), append(bytes.Clone(odd), "\r\n\r\n"...)} {
			for name, text := range map[string]string{
				"hexdump":                            dumped(want, "%07x", 2, true, true, noText),
				"hexdump -x":                         strings.ReplaceAll(dumped(want, "%07x", 2, true, true, noText), " ", "    "),
				"hexdump -C":                         dumped(want, "%08x ", 1, false, true, bars),
				"xxd":                                dumped(want, "%08x:", 2, false, false, blanks),
				"xxd -u":                             strings.ToUpper(dumped(want, "%08x:", 2, false, false, noText)),
				"xxd -g 4":                           dumped(want, "%08x:", 4, false, false, blanks),
				"xxd -g 3":                           dumped(want, "%08x:", 3, false, false, blanks),
				"xxd -g 16":                          dumped(want, "%08x:", 16, false, false, blanks),
				"xxd -b":                             dumpedBinary(want, blanks),
				"xxd -e":                             dumpedLittleEndian(want, blanks),
				"xxd -g 1":                           dumped(want, "%08x:", 1, false, false, blanks),
				"od -x":                              dumped(want, "%07o", 2, true, true, noText),
				"od":                                 dumpedOctal(want, 2),
				"od -b":                              dumpedOctal(want, 1),
				"od -t x4":                           dumped(want, "%07o", 4, true, true, noText),
				"od -t x8":                           dumped(want, "%07o", 8, true, true, noText),
				"od -t x1":                           dumped(want, "%07o", 1, false, true, noText),
				"od -A x -t x1z":                     dumped(want, "%06x", 1, false, true, angle),
				"od -A d -t x2":                      dumped(want, "%07d", 2, true, true, noText),
				"big-endian hexdump":                 dumped(want, "%07x", 2, false, true, noText),
				"hexdump, lines that end with CR LF": strings.ReplaceAll(dumped(want, "%07x", 2, true, true, noText), "\n", "\r\n"),
				"hexdump after a prompt":             "$ hexdump telegram\n" + dumped(want, "%07x", 2, true, true, noText),
				"xxd -p":                             fmt.Sprintf("%x\n", want),
			} {
				t.Run(fmt.Sprintf("%s %d %s", family, len(want)%2, name), func(t *testing.T) {
					got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
					if name == "big-endian hexdump" { // the last number is possibly padded with zeros
						got = got[:min(len(got), len(want))]
					}
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("got %d bytes %.40x…, error %v, want %d bytes %.40x…; the dump:\n%.200s", len(got), got, err, len(want), want, text)
					}
				})
			}
		}
	}
}

// TestBytesRepeated tests that a line * repeats the line before it up to the next offset, but at most for 64 KiB.
func TestBytesRepeated(t *testing.T) {
	tests := []struct {
		name, text string
		want       int // number of bytes
	}{
		{"three equal lines", "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n0000030\n", 48},
		{"a gap of 2 GB", "0000000 0000 0000 0000 0000 0000 0000 0000 0000\n*\n7fffff0\n", 16 + 1<<16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || len(got) != tt.want {
				t.Errorf("got %d bytes, error %v, want %d bytes", len(got), err, tt.want)
			}
		})
	}
}

// TestBytesRepeatedLimit tests that many lines * add at most 16 MiB to a dump.
func TestBytesRepeatedLimit(t *testing.T) {
	var text strings.Builder
	for at := range 1000 {
		fmt.Fprintf(&text, "%08x 00\n*\n", at<<16)
	}
	got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text.String())))
	if err != nil || len(got) < 16<<20 || len(got) > 17<<20 {
		t.Errorf("got %d bytes, error %v, want 16 to 17 MiB", len(got), err)
	}
}

// TestBytesTooLong tests that a dump of more than 16 MiB of text is an error.
func TestBytesTooLong(t *testing.T) {
	text := "00000000 00\n00000001 00\n" + strings.Repeat("\n", 16<<20)
	got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(text)))
	if !errors.Is(err, capture.ErrTooLong) || len(got) > 0 {
		t.Errorf("got %d bytes and error %v, want no bytes and ErrTooLong", len(got), err)
	}
}

// TestBytesNotDump tests that all digits of hexadecimal text are returned as bytes if the first numbers of its lines are not offsets.
func TestBytesNotDump(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"groups of four digits", "0000 0001 0203 0405 0607 0809\n0000 0001 0203 0405 0607 0809\n", "\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"},
		{"the second line does not begin with its offset", "00000000 0001020304050607\n00000012 0001020304050607\n", "\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07"},
		{"only offsets, one too small", "00000010\n0000000f\n", "\x00\x00\x00\x10\x00\x00\x00\x0f"},
		{"digits that are all 0 and 1", "00000000 01111110 10100010 01000011\n00000000 01111110 10100010 01000011\n", "\x00\x00\x00\x00\x01\x11\x11\x10"},
		{"one line", "00000000 7ea02a41 08831304\n", "\x00\x00\x00\x00\x7e\xa0\x2a\x41\x08\x83\x13\x04"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := io.ReadAll(capture.NewBytesReader(strings.NewReader(tt.text)))
			if err != nil || !strings.HasPrefix(string(got), tt.want) {
				t.Errorf("got %x, error %v, want bytes that begin with %x", got, err, tt.want)
			}
		})
	}
}
