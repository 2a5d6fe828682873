package doctor

import (
	"strings"
	"testing"
)

// TestReportLine: a line wraps at words, below its text; what is longer than a line is not cut.
func TestReportLine(t *testing.T) {
	long := "/dev/serial/by-id/" + strings.Repeat("x", 70)
	blank := strings.Repeat(" ", nameWidth)
	tests := []struct{ name, text, want string }{
		{"cipher", "none", "cipher    none\n"},
		{"", "a warning", "          a warning\n"},
		{"meter", "Aidon      clock +0 s", "meter     Aidon      clock +0 s\n"},
		{"verdict", strings.Repeat("seven77 ", 8) + "seven77 ninth", "verdict   " + strings.Repeat("seven77 ", 7) + "seven77\n" + blank + "seven77 ninth\n"},
		{"port", long + "   readable", "port      " + long + "\n" + blank + "readable\n"},
	}
	for _, tt := range tests {
		if got := reportLine(tt.name, tt.text); got != tt.want {
			t.Errorf("%s:\ngot\n%swant\n%s", tt.name, got, tt.want)
		}
		for _, l := range strings.Split(reportLine(tt.name, tt.text), "\n") {
			if len([]rune(l)) > lineWidth && !strings.Contains(l, long) {
				t.Errorf("%s: %d columns", tt.name, len([]rune(l)))
			}
		}
	}
}
