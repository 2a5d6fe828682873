package p1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/internal/framingtest"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

func TestLength(t *testing.T) {
	long := "/ABC5\r\n\r\n" + strings.Repeat("1-0:1.8.0(00000001.000*kWh)\r\n", 300)
	for _, tt := range []struct {
		name, in string
		want     int
	}{
		{"one byte", "/", 0},
		{"no end yet", "/ABC5\r\n\r\n1-0:1.8.0(1*kWh)\r\n", 0},
		{"the mark alone", "/ABC5\r\n\r\n!", 0},
		{"three digits of four", "/ABC5\r\n\r\n!12A", 0},
		{"four digits, no line end yet", "/ABC5\r\n\r\n!12AB", 0},
		{"half a line end", "/ABC5\r\n\r\n!12AB\r", 0},
		{"whole", "/ABC5\r\n\r\n!12AB\r\n", 16},
		{"line end of one byte", "/ABC5\n\n!12AB\n", 13},
		{"no line end", "/ABC5\r\n\r\n!12AB/", 14},
		{"half a line end and the next", "/ABC5\r\n\r\n!12AB\r/", 15},
		{"what is behind does not matter", "/ABC5\r\n\r\n!12AB\r\n/ABC5", 16},
		{"digits in lower case", "/ABC5\r\n\r\n!12ab\r\n", 16},
		{"no checksum", "/ABC5\r\n\r\n!\r\n", 12},
		{"a byte that is no digit", "/ABC5\r\n\r\n!1x23\r\n", 12},
		{"the next telegram behind the mark", "/ABC5\r\n\r\n!/ABC5", 10},
		{"mark within a line", "/ABC5\r\n\r\n0-0:96.13.0(a!12AB)\r\n", 0},
		{"mark within a line and a true one", "/ABC5\r\n\r\n0-0:96.13.0(!)\r\n!12AB\r\n", 32},
		{"slash within a line", "/HLY5/D545-METER\r\n\r\n0-0:96.13.0(a/b)\r\n!12AB\r\n", 45},
		{"next telegram before the end", "/ABC5\r\n\r\n1-0:1.8\r\n/ABC5\r\n\r\n!12AB", 18},
		{"next telegram within the checksum", "/ABC5\r\n\r\n!12\r/ABC5", 13},
		{"zero byte", "/ABC5\r\n\x00", 0},
		{"zero byte outside of a value", "/ABC5\r\n\x00(", 7},
		{"high byte", "/ABC5\r\n\xff", 0},
		{"high byte, no make's letters", "/AB45\r\n\xff", 7},
		{"high byte in the name", "/ABC5\xE4", 0},
		{"high byte in a name that does not end", "/ABC5\xE4" + strings.Repeat("x", 64), 5},
		{"high bytes in lines", "/ABC5\r\n0-0:96.13.0(\xE4\xFF)\r\n!12AB\r\n", 31},
		{"a frame behind a part of a telegram", "/ABC5\r\n1-0:1.7.0(00~\xA2\x43\x41\x08\x83\x13\x85\xEB\xE6\xE7\x00\x0F", 30},
		{"zeros that fill", "/ABC5\r\n0-0:96.13.0(a\x00\x00)\r\n!12AB\r\n", 32},
		{"zero in the middle of a text", "/ABC5\r\n\r\n0-0:96.13.0(a\x00b)\r\n!12AB\r\n", 34},
		{"zero in the name", "/ABC5\x00x\r\n\r\n!12AB\r\n", 18},
		{"zero in the name, no empty line", "/ABC5\x00x\r\n1.8", 5},
		{"zero in a name that does not end", "/ABC5\x00" + strings.Repeat("x", 64), 5},
		{"zero where letters of a make are none", "/AB45\r\n\r\n(a\x00b)", 11},
		{"zero behind the empty line", "/ABC5\r\n\r\n\x00x", 9},
		{"three digits and a line end", "/ABC5\r\n\r\n!12A\r\n", 15},
		{"one digit and a line end", "/ABC5\r\n\r\n!1\r\n/", 13},
		{"binary at once", "/\xa0", 1},
		{"high byte within the checksum", "/ABC5\r\n\r\n!1\x80", 12},
		{"no end at all", long, p1.MaxLength},
		{"mark at the very limit", long[:p1.MaxLength-3] + "\r\n!12AB", p1.MaxLength},
		{"exactly the limit", long[:p1.MaxLength-9] + "\r\n!12AB\r\n", p1.MaxLength},
	} {
		if got := p1.Length([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Length = %d, want %d", tt.name, got, tt.want)
		}
	}
}

// streams draws streams of the bytes and lines that decide where a telegram ends.
func streams() *rapid.Generator[string] {
	part := rapid.SampledFrom([]string{
		"/", "!", "\r", "\n", "\r\n", "A", "0", "f", "\x00", "\x80", "!12AB", "!\r\n", "/ABC5\r\n\r\n", "1-0:1.8.0(1*kWh)\r\n",
		"\x00\x82\x00\x06\x30", "abcde",
	})
	return rapid.Map(rapid.SliceOfN(part, 0, 30), func(p []string) string { return strings.Join(p, "") })
}

// TestLengthIsFinal: bytes that follow do not change a length.
func TestLengthIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte("/" + streams().Draw(t, "stream"))
		framingtest.Final(t, p1.Length, b)
	})
}
