package p1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// TestLength tests the length of complete, damaged and incomplete telegrams. The length of an incomplete telegram is 0.
func TestLength(t *testing.T) {
	long := "/ABC5\r\n\r\n" + strings.Repeat("1-0:1.8.0(00000001.000*kWh)\r\n", 300)
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"only a slash", "/", 0},
		{"no end yet", "/ABC5\r\n\r\n1-0:1.8.0(1*kWh)\r\n", 0},
		{"'!' at the end", "/ABC5\r\n\r\n!", 0},
		{"three digits of four", "/ABC5\r\n\r\n!12A", 0},
		{"four digits, no line end yet", "/ABC5\r\n\r\n!12AB", 0},
		{"carriage return without line feed", "/ABC5\r\n\r\n!12AB\r", 0},
		{"complete", "/ABC5\r\n\r\n!12AB\r\n", 16},
		{"line end of one byte", "/ABC5\n\n!12AB\n", 13},
		{"no line end", "/ABC5\r\n\r\n!12AB/", 14},
		{"carriage return, next telegram", "/ABC5\r\n\r\n!12AB\r/", 15},
		{"next telegram after the line end", "/ABC5\r\n\r\n!12AB\r\n/ABC5", 16},
		{"digits in lower case", "/ABC5\r\n\r\n!12ab\r\n", 16},
		{"no checksum", "/ABC5\r\n\r\n!\r\n", 12},
		{"checksum with a byte that is not a digit", "/ABC5\r\n\r\n!1x23\r\n", 12},
		{"next telegram after the '!'", "/ABC5\r\n\r\n!/ABC5", 10},
		{"'!' within a line", "/ABC5\r\n\r\n0-0:96.13.0(a!12AB)\r\n", 0},
		{"'!' within a line and at the end", "/ABC5\r\n\r\n0-0:96.13.0(!)\r\n!12AB\r\n", 32},
		{"slash within a line", "/HLY5/D545-METER\r\n\r\n0-0:96.13.0(a/b)\r\n!12AB\r\n", 45},
		{"next telegram before the end", "/ABC5\r\n\r\n1-0:1.8\r\n/ABC5\r\n\r\n!12AB", 18},
		{"next telegram within the checksum", "/ABC5\r\n\r\n!12\r/ABC5", 13},
		{"zero byte", "/ABC5\r\n\x00", 0},
		{"zero byte outside of a value", "/ABC5\r\n\x00(", 7},
		{"high byte", "/ABC5\r\n\xff", 0},
		{"high byte, invalid identification", "/AB45\r\n\xff", 7},
		{"high byte in the identification", "/ABC5\xE4", 0},
		{"high byte in an identification without end", "/ABC5\xE4" + strings.Repeat("x", 64), 5},
		{"high bytes in lines", "/ABC5\r\n0-0:96.13.0(\xE4\xFF)\r\n!12AB\r\n", 31},
		{"HDLC frame after part of a telegram", "/ABC5\r\n1-0:1.7.0(00~\xA2\x43\x41\x08\x83\x13\x85\xEB\xE6\xE7\x00\x0F", 30},
		{"zero bytes at the end of a text", "/ABC5\r\n0-0:96.13.0(a\x00\x00)\r\n!12AB\r\n", 32},
		{"zero byte in the middle of a text", "/ABC5\r\n\r\n0-0:96.13.0(a\x00b)\r\n!12AB\r\n", 34},
		{"zero byte in the identification", "/ABC5\x00x\r\n\r\n!12AB\r\n", 18},
		{"zero byte in the identification, no empty line", "/ABC5\x00x\r\n1.8", 5},
		{"zero byte in an identification without end", "/ABC5\x00" + strings.Repeat("x", 64), 5},
		{"zero byte, invalid identification", "/AB45\r\n\r\n(a\x00b)", 11},
		{"zero byte after the empty line", "/ABC5\r\n\r\n\x00x", 9},
		{"three digits and a line end", "/ABC5\r\n\r\n!12A\r\n", 15},
		{"one digit and a line end", "/ABC5\r\n\r\n!1\r\n/", 13},
		{"high byte after the slash", "/\xa0", 1},
		{"high byte within the checksum", "/ABC5\r\n\r\n!1\x80", 12},
		{"no end, longer than MaxLength", long, p1.MaxLength},
		{"'!' just below MaxLength", long[:p1.MaxLength-3] + "\r\n!12AB", p1.MaxLength},
		{"exactly MaxLength", long[:p1.MaxLength-9] + "\r\n!12AB\r\n", p1.MaxLength},
	} {
		if got := p1.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// streams returns a generator of streams of bytes and lines at which Length decides where a telegram ends.
func streams() *rapid.Generator[string] {
	part := rapid.SampledFrom([]string{
		"/", "!", "\r", "\n", "\r\n", "A", "0", "f", "\x00", "\x80", "!12AB", "!\r\n", "/ABC5\r\n\r\n", "1-0:1.8.0(1*kWh)\r\n",
		"\x00\x82\x00\x06\x30", "abcde",
	})
	return rapid.Map(rapid.SliceOfN(part, 0, 30), func(p []string) string { return strings.Join(p, "") })
}

// TestLengthIsFinal tests that a length other than 0 stays the same if more bytes follow.
func TestLengthIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte("/" + streams().Draw(t, "stream"))
		framingtest.Final(t, p1.Length, b)
	})
}
