package bridge

import (
	"testing"
	"time"
)

// TestCadence checks the rounded interval of a quantity after a sequence of gaps.
func TestCadence(t *testing.T) {
	tests := []struct {
		name string
		gaps []time.Duration
		want time.Duration
	}{
		{"one value", nil, time.Minute},
		{"one gap, which is not enough", []time.Duration{time.Hour}, time.Minute},
		{"every 2 s", []time.Duration{2 * time.Second, 2 * time.Second}, time.Minute},
		{"every hour", []time.Duration{time.Hour, time.Hour}, time.Hour},
		{"every 15 min", []time.Duration{15 * time.Minute, 15 * time.Minute}, 15 * time.Minute},
		{"once a day", []time.Duration{24 * time.Hour, 24 * time.Hour}, 24 * time.Hour},
		{"one hourly list was lost", []time.Duration{time.Hour, time.Hour, 2 * time.Hour, time.Hour}, time.Hour},
		{"an outage of five hours", []time.Duration{time.Second, time.Second, 5 * time.Hour, time.Second}, time.Minute},
		{"first every hour, then every second", []time.Duration{time.Hour, time.Hour, time.Second, time.Second}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c cadence
			now := time.Unix(1_800_000_000, 0)
			c.addValue(now)
			for _, gap := range tt.gaps {
				now = now.Add(gap)
				c.addValue(now)
			}
			if got := c.roundedInterval(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestCadenceOfOneValue checks that a quantity that came once counts as hourly after ten minutes.
func TestCadenceOfOneValue(t *testing.T) {
	var c cadence
	c.addValue(time.Unix(1_800_000_000, 0))
	if c.addMissing(9 * time.Minute); c.roundedInterval() != time.Minute {
		t.Errorf("after 9 min: got %v, want a minute", c.roundedInterval())
	}
	if c.addMissing(11 * time.Minute); c.roundedInterval() != time.Hour {
		t.Errorf("after 11 min: got %v, want an hour", c.roundedInterval())
	}
}
