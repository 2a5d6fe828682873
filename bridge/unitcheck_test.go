package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestUnitCheck checks the factor that is found for a meter that sends 3600 W in each telegram, and a counter once an hour.
func TestUnitCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hourly int64         // rise of the counter in an hour, in Wh
		gap    time.Duration // the time between two telegrams
		want   int           // the factor; 0 if none is found
	}{
		{"counter and power agree", 3600, 10 * time.Second, 0},
		{"the counter rises a little too fast", 4100, 10 * time.Second, 0},
		{"the counter rises ten times too fast", 36000, 10 * time.Second, 10},
		{"the counter rises ten times too slowly", 360, 10 * time.Second, -10},
		{"the counter rises twice too fast", 7300, 10 * time.Second, 0},
		{"the telegrams are too far apart", 36000, 2 * time.Minute, 0},
		{"a counter that steps back", -36000, 10 * time.Second, 0},
		{"a counter that does not rise", 0, 10 * time.Second, 0},
	} {
		var c unitCheck
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		power := obis.Decimal{Coef: 36, Exp: 2}
		got := 0
		for at := time.Duration(0); at <= 5*time.Hour; at += tt.gap {
			var energy *obis.Decimal
			if at%time.Hour == 0 {
				energy = &obis.Decimal{Coef: 9_000_000 + tt.hourly*int64(at/time.Hour), Exp: -3}
			}
			if factor := c.add(start.Add(at), &power, energy); factor != 0 {
				if got != 0 {
					t.Errorf("%s: got a factor twice, want it once", tt.name)
				}
				got = factor
			}
		}
		if got != tt.want {
			t.Errorf("%s: got factor %d, want %d", tt.name, got, tt.want)
		}
	}
}
