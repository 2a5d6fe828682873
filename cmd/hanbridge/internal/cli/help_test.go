package cli_test

import (
	"bytes"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// TestWrap tests that text is wrapped to 10 columns.
func TestWrap(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"fits", "one two", "one two"},
		{"wrapped between words", "one two three four", "one two\nthree four"},
		{"a word of the full width", "1234567890 1", "1234567890\n1"},
		{"a word wider than a line", "one 123456789012 two", "one\n123456789012\ntwo"},
		{"consecutive lines are joined", "one\ntwo three", "one two\nthree"},
		{"paragraphs are not joined", "one\n\ntwo\n", "one\n\ntwo"},
		{"indented lines are not joined", "one\n  two\n  three\nfour", "one\n  two\n  three\nfour"},
		{"the rest of a line is indented to its last column", "  a  one two three", "  a  one\n     two\n     three"},
		{"letters of two bytes", "åäö åä åäö", "åäö åä åäö"},
	} {
		if got := cli.Wrap(tt.in, 10); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestTable tests that a wide cell is wrapped within its column, and that a long word is not broken.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := cli.Table{W: &out, Widths: []int{4, 6, 3}}
	table.Row("A", "B", "C")
	table.Row("one", "two three", "1 2")
	table.Row("wider", "", "")
	if want := "A    B      C\none  two    1 2\n     three\nwider\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
