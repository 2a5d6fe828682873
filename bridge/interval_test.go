package bridge

import (
	"testing"
	"time"
)

// TestIntervalOfEarlierRun checks after how long a port is opened again if the meter sent only every hour in an earlier run, and if it sent powers too.
func TestIntervalOfEarlierRun(t *testing.T) {
	for name, tt := range map[string]struct {
		every []time.Duration // of the quantities of the earlier run
		want  time.Duration
	}{
		"no earlier run": {nil, time.Minute}, "powers and hourly counters": {[]time.Duration{time.Minute, time.Hour}, time.Minute},
		"only hourly counters": {[]time.Duration{time.Hour, time.Hour}, 6 * time.Hour},
	} {
		var i interval
		var descriptors []Descriptor
		for _, every := range tt.every {
			descriptors = append(descriptors, Descriptor{Every: every})
		}
		if i.restore(descriptors); i.maxSilence() != tt.want {
			t.Errorf("%s: got %v, want %v", name, i.maxSilence(), tt.want)
		}
	}
}

// TestIntervalLearned checks the interval that is learned from a sequence of gaps.
func TestIntervalLearned(t *testing.T) {
	const s = time.Second
	repeat := func(gap time.Duration, n int) (gaps []time.Duration) {
		for range n {
			gaps = append(gaps, gap)
		}
		return gaps
	}
	tests := []struct {
		name string
		gaps []time.Duration
		want time.Duration
	}{
		{"no gap", nil, 10 * s},
		{"two gaps are too few", repeat(2*s, 2), 10 * s},
		{"three gaps", repeat(2*s, 3), 2 * s},
		{"an outage of an hour", append(repeat(5*s, 8), time.Hour), 5 * s},
		{"an outage after the first gap", []time.Duration{5 * s, time.Hour, 5 * s}, 5 * s},
		{"a telegram that was sent twice", append(repeat(10*s, 6), 0, 10*s), 10 * s},
		{"telegrams every 20 ms count as one a second", repeat(20*time.Millisecond, 9), s},
		{"a reader that sends six telegrams at once", []time.Duration{0, 0, 0, 0, 0, 60 * s, 0, 0, 0, 0, 0, 60 * s, 0, 0, 0, 0, 0, 60 * s}, 60 * s},
		{"a new profile with another interval", append(repeat(10*s, 9), repeat(2500*time.Millisecond, 5)...), 2500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var i interval
			at := time.Unix(1_800_000_000, 0)
			i.add(at)
			for _, gap := range tt.gaps {
				at = at.Add(gap)
				i.add(at)
			}
			if got := i.learned(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
