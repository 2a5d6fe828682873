package obis_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestParseCode tests that ParseCode reads each form of a code, and returns an error for any other text.
func TestParseCode(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want obis.Code
		ok   bool
	}{
		{"1-0:1.8.0", obis.Code{1, 0, 1, 8, 0, 255}, true},
		{"0-0:1.0.0", obis.Code{0, 0, 1, 0, 0, 255}, true},
		{"1-0:1.8.0*255", obis.Code{1, 0, 1, 8, 0, 255}, true},
		{"1-0:1.8.0*01", obis.Code{1, 0, 1, 8, 0, 1}, true},
		{"1-0:1.8.0.255", obis.Code{1, 0, 1, 8, 0, 255}, true},
		{"1-0:1.8.0.1", obis.Code{1, 0, 1, 8, 0, 1}, true},
		{"255-255:255.255.255*0", obis.Code{255, 255, 255, 255, 255, 0}, true},
		{"1-0:072.7.0", obis.Code{1, 0, 72, 7, 0, 255}, true},
		{in: ""},
		{in: "1"},
		{in: "1-0:1.8"},
		{in: "1-0:1.8."},
		{in: "1-0:1.8.0*"},
		{in: "1-0:1.8.0 "},
		{in: "1-0:1.8.0*1*1"},
		{in: "1-0:1.8.0."},
		{in: "1-0:1.8.0.1.1"},
		{in: "1-0:1.8.0("},
		{in: " 1-0:1.8.0"},
		{in: "1-0:256.8.0"},
		{in: "1-0:0001.8.0"},
		{in: "1-0:-1.8.0"},
		{in: "1:0-1.8.0"},
		{in: "1-0.1.8.0"},
		{in: "1-0:4:24.7.0"},
		{in: "1-0:1..0"},
		{in: "x-0:1.8.0"},
	} {
		got, err := obis.ParseCode(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseCode(%q) = %v, %v; want %v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

// TestReadCode tests that ReadCode returns the code at the start of the text and the length of the code. The length is 0 if the text does not
// begin with a code.
func TestReadCode(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want obis.Code
		n    int
	}{
		{"1-0:1.8.0(0)", obis.Code{1, 0, 1, 8, 0, 255}, 9},
		{"1-0:1.8.0*12(0)", obis.Code{1, 0, 1, 8, 0, 12}, 12},
		{"1-0:1.8.0", obis.Code{1, 0, 1, 8, 0, 255}, 9},
		{in: "1-0:1.8(0)"},
		{in: "(00908.123)"},
		{in: ""},
	} {
		got, n := obis.ReadCode([]byte(tt.in))
		if got != tt.want || n != tt.n {
			t.Errorf("ReadCode(%q) = %v, %d; want %v, %d", tt.in, got, n, tt.want, tt.n)
		}
	}
}

func TestCodeString(t *testing.T) {
	for _, tt := range []struct {
		in   obis.Code
		want string
	}{
		{obis.Code{1, 0, 1, 8, 0, 255}, "1-0:1.8.0"},
		{obis.Code{0, 1, 24, 2, 1, 255}, "0-1:24.2.1"},
		{obis.Code{1, 0, 1, 8, 0, 0}, "1-0:1.8.0*0"},
		{obis.Code{1, 0, 1, 8, 0, 99}, "1-0:1.8.0*99"},
		{obis.Code{255, 255, 255, 255, 255, 255}, "255-255:255.255.255"},
	} {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("String of % d = %q, want %q", tt.in, got, tt.want)
		}
		if got := string(tt.in.Append([]byte("x"))); got != "x"+tt.want {
			t.Errorf("Append of % d = %q, want %q", tt.in, got, "x"+tt.want)
		}
	}
}

func TestCodeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want obis.Code
		copy(want[:], rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "code"))
		got, err := obis.ParseCode(want.String())
		if err != nil || got != want {
			t.Fatalf("ParseCode(%q) = %v, %v; want % d", want, got, err, want)
		}
	})
}

// TestCodeGroups tests that CDE returns groups C, D and E, and that IsClock is true only for 0-b:1.0.0 and 0-b:1.1.0, with any b.
func TestCodeGroups(t *testing.T) {
	code := obis.Code{1, 2, 3, 4, 5, 6}
	if got, want := code.CDE(), [3]byte{3, 4, 5}; got != want {
		t.Errorf("CDE of %v = %v, want %v", code, got, want)
	}
	got := map[string]bool{}
	for _, text := range []string{"0-0:1.0.0", "0-1:1.0.0", "1-0:1.0.0", "0-0:1.1.0", "0-0:1.0.1", "0-0:96.1.0"} {
		c, err := obis.ParseCode(text)
		if err != nil {
			t.Fatal(err)
		}
		got[text] = c.IsClock()
	}
	want := map[string]bool{
		"0-0:1.0.0": true, "0-1:1.0.0": true,
		"1-0:1.0.0": false, "0-0:1.1.0": true, "0-0:1.0.1": false, "0-0:96.1.0": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("IsClock, -want +got:\n%s", diff)
	}
}

// TestReadCodeShort tests that ReadCode reads the codes of IEC 62056-21 readouts, which have no medium and channel.
func TestReadCodeShort(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want obis.Code
		n    int
	}{
		{"1.8.0(0)", obis.Code{1, 0, 1, 8, 0, 255}, 5},
		{"16.7(0)", obis.Code{1, 0, 16, 7, 0, 255}, 4},
		{"1.8.0*96(0)", obis.Code{1, 0, 1, 8, 0, 96}, 8},
		{"1.6*1(0)", obis.Code{1, 0, 1, 6, 0, 1}, 5},
		{"1.8.0.255", obis.Code{1, 0, 1, 8, 0, 255}, 9},
		{"1.8.0&01(0)", obis.Code{1, 0, 1, 8, 0, 255}, 5},
		{"1.8.0.1.1", obis.Code{1, 0, 1, 8, 0, 1}, 7},
		{in: "1(0)"},
		{in: "1."},
		{in: "1.8."},
		{in: "1.8.0*"},
		{in: "1*8.0"},
		{in: "1.256.0"},
		{in: "0001.8.0"},
		{in: "C.1.0"},
		{in: "(1.8.0)"},
		{in: ""},
	} {
		got, n := obis.ReadCode([]byte(tt.in))
		if got != tt.want || n != tt.n {
			t.Errorf("ReadCode(%q) = %v, %d; want %v, %d", tt.in, got, n, tt.want, tt.n)
		}
	}
}

// TestSplitLine tests the label and the text of lines of several forms.
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
