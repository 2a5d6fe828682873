package throttle_test

import (
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/bridge/throttle"
)

func TestDeadbandText(t *testing.T) {
	tests := []struct{ text, least, percent, back string }{
		{"10", "10", "0", "10"},
		{"0", "0", "0", "0"},
		{"0.50", "0.5", "0", "0.5"},
		{"1%", "0", "1", "1%"},
		{"2.5%", "0", "2.5", "2.5%"},
		{"10 1%", "10", "1", "10 1%"},
		{" 1%\t10 ", "10", "1", "10 1%"},
	}
	for _, tt := range tests {
		var got throttle.Deadband
		if err := got.UnmarshalText([]byte(tt.text)); err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		if got.Least.String() != tt.least || got.Percent.String() != tt.percent || got.String() != tt.back {
			t.Errorf("%q: got %v and %v %%, as text %q; want %s, %s, %q", tt.text, got.Least, got.Percent, got, tt.least, tt.percent, tt.back)
		}
	}
	for _, text := range []string{"", " ", "ten", "-1", "-1%", "%", "1 %", "10 20", "1% 2%", "10 1% 3", "10W", "1,5", "10;1%"} {
		got := *deadband(t, "7")
		err := got.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), "such as 10 or 1% or 10 1%") || got != *deadband(t, "7") {
			t.Errorf("%q: got %v, error %v; want one that shows how to write it, and nothing changed", text, got, err)
		}
	}
}
