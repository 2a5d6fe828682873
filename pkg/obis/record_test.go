package obis_test

import (
	"testing"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

func TestSplitLine(t *testing.T) {
	for _, tt := range []struct{ line, label, text string }{
		{"1-1:30D(00301.5)", "1-1:30D", "00301.5"},
		{"P.01(1)(2)", "P.01", "(1)(2)"},
		{"F.F()", "F.F", ""},
		{"0-0:97.97.0\r\n(\r\n1-0:1.8.0(1)\r\n)", "0-0:97.97.0", "(\r\n1-0:1.8.0(1)\r\n)"},
		{"(00908.123)", "", "00908.123"},
		{"C.1.0(12", "C.1.0", "(12"},
		{"not a data line", "", "not a data line"},
		{"(", "", "("},
		{"", "", ""},
	} {
		label, text := (&obis.Record{Kind: obis.Line, Text: []byte(tt.line)}).SplitLine()
		if string(label) != tt.label || string(text) != tt.text {
			t.Errorf("SplitLine of %q = %q, %q; want %q, %q", tt.line, label, text, tt.label, tt.text)
		}
	}
}
