package throttle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/throttle"
)

func TestDeadbandText(t *testing.T) {
	tests := []struct{ text, absolute, percent, want string }{
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
		if got.Absolute.String() != tt.absolute || got.Percent.String() != tt.percent || got.String() != tt.want {
			t.Errorf("%q: got %v and %v %%, as text %q; want %s, %s, %q", tt.text, got.Absolute, got.Percent, got, tt.absolute, tt.percent, tt.want)
		}
	}
	for text, want := range map[string]string{
		"": "has no value: write a number (10)", " ": "has no value", "ten": `"ten" is not a number: write one in the unit`, "%": "is not a number", "1 %": "is not a number",
		"10W": "is not a number", "1,5": "write it with a point", "10;1%": "is not a number", "-1": "out of range", "-1%": "out of range", "101%": "out of range",
		"10 20": `"20" is one too many`, "1% 2%": `"2%" is one too many`, "10 1% 3": `"3" is one too many`,
	} {
		got := *deadband(t, "7")
		err := got.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || got != *deadband(t, "7") {
			t.Errorf("%q: got %v, error %v; want %q, and nothing changed", text, got, err, want)
		}
	}
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "0s": 0, "5s": 5 * time.Second, "1h30m": 90 * time.Minute, "24h": 24 * time.Hour} {
		if got, err := throttle.ParseInterval(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is not a time", "5": `"5" has no unit: write 5s for seconds, 5m for minutes`, "2d": "is not a time", "5s;": "is not a time",
		"-5s": "out of range: write from 0s to 24h", "25h": "out of range",
	} {
		if _, err := throttle.ParseInterval(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
