package safetext

import (
	"testing"
)

// TestEscape tests that Escape replaces characters that could control a terminal or hide text.
func TestEscape(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"printable text", `Huset på åkern "\" 3,5 m³`, `Huset på åkern "\" 3,5 m³`},
		{"an escape sequence", "a\x1b[2Jb", `a\x1b[2Jb`},
		{"a C1 control character", "a\u009b2J", `a\u009b2J`},
		{"a C1 control character as one byte", "a\x9b2J", `a\x9b2J`},
		{"line ends and a bell", "a\r\nb\a", `a\r\nb\a`},
		{"a change of text direction", "a\u202eb\u2066", `a\u202eb\u2066`},
		{"not UTF-8", "\xff\xfe", `\xff\xfe`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
