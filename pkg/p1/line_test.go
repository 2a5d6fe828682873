package p1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
	"github.com/hanbridge/hanbridge/pkg/p1"
)

// textOf returns a line for each record: its code or label, and its value or text.
func textOf(records []obis.Record) string {
	var b strings.Builder
	for i := range records {
		switch r := &records[i]; r.Kind {
		case obis.Number:
			b.WriteString(r.Code.String() + " " + r.Value.String() + " " + r.Unit.String() + "\n")
		case obis.Clock:
			b.WriteString(r.Code.String() + " " + r.Time.String() + "\n")
		case obis.Line:
			label, text := r.SplitLine()
			b.WriteString("line " + string(label) + " " + string(text) + "\n")
		default:
			b.WriteString(r.Code.String() + " " + string(r.Text) + "\n")
		}
	}
	return b.String()
}

// TestLines tests lines of other forms than one code and one value. Without a checksum, Parse reads the same records or refuses the telegram.
func TestLines(t *testing.T) {
	const power = "1-0:1.7.0 1 W\n"
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
		// wantRefused is true if Parse must refuse the telegram without a checksum.
		wantRefused bool
	}{
		{"short code", []string{"1.8.0(1*Wh)", "16.7(-2*W)", "1.8.0*96(3*Wh)"}, "1-0:1.8.0 1 Wh\n1-0:16.7.0 -2 W\n1-0:1.8.0*96 3 Wh\n", false},
		{"label instead of a code", []string{"1-1:30D(00301.5)", "1.8.0&01(1*kWh)", "0:0.0.0*255(7)", "C.1.0(8)", "F.F(0)", "1-0:C.90.2*255(9)"},
			"line 1-1:30D 00301.5\nline 1.8.0&01 1*kWh\nline 0:0.0.0*255 7\nline C.1.0 8\nline F.F 0\nline 1-0:C.90.2*255 9\n", false},
		{"label, several values and lines", []string{"P.01(221101)(15)(1.5)(kW)", "(0.123)", "(0.456)"},
			"line P.01 (221101)(15)(1.5)(kW)\nline  0.123\nline  0.456\n", false},
		{"code with a group above 255", []string{"1-0:1.8.256(1)"}, "line 1-0:1.8.256 1\n", false},
		{"damaged code, second colon", []string{"1-0:4:24.7.0(1)"}, "line 1-0:4:24.7.0 1\n", true},
		{"damaged code, empty group", []string{"1-0:1..0(1)"}, "line 1-0:1..0 1\n", true},
		{"damaged code, invalid character", []string{"1-0:1.8#0(1)"}, "line 1-0:1.8#0 1\n", true},
		{"no parentheses", []string{"1-0:1.8.1"}, "line  1-0:1.8.1\n", true},
		{"characters after the value", []string{"1-0:1.8.1(1*kWh)x"}, "line 1-0:1.8.1 (1*kWh)x\n", true},
		{"value without closing parenthesis", []string{"1-0:1.8.1(1*kWh"}, "line 1-0:1.8.1 (1*kWh\n", true},
		{"block", []string{"0-0:98.1.0", "(", "0-0:1.0.0(221101000000W)", "1-0:1.8.0(2*Wh)", ")"},
			"0-0:98.1.0 (\r\n0-0:1.0.0(221101000000W)\r\n1-0:1.8.0(2*Wh)\r\n)\n", false},
		{"block, opened on the line of its code", []string{"0-0:98.1.0(221101000000W)(", "1-0:1.8.0(2*Wh)", ")"},
			"0-0:98.1.0 (221101000000W)(\r\n1-0:1.8.0(2*Wh)\r\n)\n", false},
		{"block, closed on its last line", []string{"1-0:99.1.0(", "1-0:1.8.0(2*Wh))"}, "1-0:99.1.0 (\r\n1-0:1.8.0(2*Wh))\n", false},
		{"block whose first line is the line of its code", []string{"1-0:99.1.0(1-0:1.8.0(2*Wh)", "1-0:1.8.0(3*Wh)", ")"},
			"1-0:99.1.0 (1-0:1.8.0(2*Wh)\r\n1-0:1.8.0(3*Wh)\r\n)\n", false},
		{"block with a parenthesis too many", []string{"0-0:98.1.0", "(", "0-0:96.13.0(:))", "1-0:1.8.0(2*Wh)", ")"},
			"0-0:98.1.0 (\r\n0-0:96.13.0(:))\r\n1-0:1.8.0(2*Wh)\r\n)\n", false},
		{"block within a block", []string{"0-0:98.1.0", "(", "0-0:98.2.0", "(", "1-0:1.8.0(2*Wh)", ")", "1-0:2.8.0(3*Wh)", ")"},
			"0-0:98.1.0 (\r\n0-0:98.2.0\r\n(\r\n1-0:1.8.0(2*Wh)\r\n)\r\n1-0:2.8.0(3*Wh)\r\n)\n", false},
		{"two blocks", []string{"0-0:98.1.0", "(", "1-0:1.8.0(2*Wh)", ")", "1-0:99.1.0", "(", "1-0:1.8.0(3*Wh)", ")"},
			"0-0:98.1.0 (\r\n1-0:1.8.0(2*Wh)\r\n)\n1-0:99.1.0 (\r\n1-0:1.8.0(3*Wh)\r\n)\n", false},
		{"block of another code", []string{"0-0:97.97.0", "(", "1-0:1.8.0(2*Wh)", ")"}, "line 0-0:97.97.0 (\r\n1-0:1.8.0(2*Wh)\r\n)\n", false},
		{"empty block", []string{"0-0:98.1.0", "(", ")"}, "0-0:98.1.0 (\r\n)\n", false},
		{"log in several lines", []string{"0-0:98.1.0(2)(1-0:1.6.0)", "(221101000000W)(2*W)", "(221001000000S)(3*W)"},
			"0-0:98.1.0 (2)(1-0:1.6.0)\n0-0:98.1.0 (221101000000W)(2*W)\n0-0:98.1.0 (221001000000S)(3*W)\n", false},
		{"log without closing parenthesis", []string{"1-0:99.97.0(2)(0-0:96.7.19"}, "1-0:99.97.0 (2)(0-0:96.7.19\n", true},
		{"several numbers", []string{"1-1:31.4.0(100*A)(-063*A)", "0-0:17.0.0(1*kW)(2*kW)(3*kW)"},
			"1-1:31.4.0 100 A\n1-1:31.4.0 -63 A\n0-0:17.0.0 1000 W\n0-0:17.0.0 2000 W\n0-0:17.0.0 3000 W\n", false},
		{"several values, not all numbers", []string{"1-0:31.4.0(100*A)(x)", "1-0:31.4.0(1)(2)"}, "1-0:31.4.0 (100*A)(x)\n1-0:31.4.0 (1)(2)\n", false},
		{"text in several lines", []string{"0-0:96.13.0(one", "two)"}, "0-0:96.13.0 one\r\ntwo\n", false},
		{"text without closing parenthesis", []string{"0-0:96.13.0(one", "two"}, "line 0-0:96.13.0 (one\nline  two\n", true},
	} {
		var got p1.Telegram
		lines := append(append([]string{"/ABC5", ""}, tt.lines...), "1-0:1.7.0(1*W)")
		if err := got.Parse([]byte(withChecksum(lines...))); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want+power, textOf(got.Records)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
		err := got.Parse([]byte(strings.Join(lines, "\r\n") + "\r\n!\r\n"))
		if (err != nil) != tt.wantRefused {
			t.Errorf("%s, without a checksum: got error %v, want an error: %v", tt.name, err, tt.wantRefused)
		}
		if diff := cmp.Diff(tt.want+power, textOf(got.Records)); err == nil && diff != "" {
			t.Errorf("%s, without a checksum, -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestUnclosedBlock tests that all lines after the beginning of a block without an end are one text, because they possibly have past values.
func TestUnclosedBlock(t *testing.T) {
	for _, begin := range []string{"0-0:98.1.0\r\n(", "0-0:98.1.0(", "1-0:99.1.0(1)("} {
		var got p1.Telegram
		if err := got.Parse([]byte(withChecksum("/ABC5", "", "1-0:1.7.0(1*W)", begin, "1-0:1.8.0(2*Wh)", "1-0:2.8.0(3*Wh)"))); err != nil {
			t.Fatal(err)
		}
		if n := len(got.Records); n != 2 || !strings.HasSuffix(string(got.Records[1].Text), "(\r\n1-0:1.8.0(2*Wh)\r\n1-0:2.8.0(3*Wh)") {
			t.Errorf("%q: got %s, want one text with both lines", begin, textOf(got.Records))
		}
	}
}

// TestNoNumberIsLost tests that every number of a telegram with a checksum is in a record, for any order of lines and parentheses.
func TestNoNumberIsLost(t *testing.T) {
	// Each % is replaced by a number that occurs only once in the telegram.
	pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
		"1-0:1.7.0(%*W)", "1-0:1.8.0 (%", "0-0:96.13.0(%", "0-0:96.13.0", "%)", "(%)", ")", "(", "%", "label %", "C.1.0(%)", "L(%", "0-0:98.1.0(%)(x",
		"0-0:98.1.0", "1-0:99.97.0(%", "0-0:94.91.1(1-0:1.8.0(%*kWh)", "1-0:2.8.0(%*kWh))", "0-1:24.3.0(221101210000)(00)(60)(1)(0-1:24.2.1)(m3)",
		"0-1:24.3.0(%)(00)", "0-1:24.2.1(221101210000W)(%*m3)", "()(%)", "(%)(%)", "x(%)y", "(%) \x00", "%)%", "%)%)", "(%(",
	}), 1, 8)
	rapid.Check(t, func(t *rapid.T) {
		const base = 700000 // no piece contains a number from here on
		parts, n := strings.Split(strings.Join(pieces.Draw(t, "lines"), "\r\n"), "%"), base
		text := parts[0]
		for _, part := range parts[1:] {
			n++
			text += fmt.Sprint(n) + part
		}
		var got p1.Telegram
		if err := got.Parse([]byte(withChecksum("/ABC5", "", text))); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, r := range got.Records {
			all.WriteString("\n" + r.Code.String() + string(r.Text))
		}
		for i := base + 1; i <= n; i++ {
			if !strings.Contains(all.String(), fmt.Sprint(i)) {
				t.Fatalf("got records %q from %q, want a record with %d", all.String(), text, i)
			}
		}
	})
}
