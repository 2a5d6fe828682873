package bridge

import (
	"slices"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func TestCadence(t *testing.T) {
	tests := []struct {
		name string
		gaps []time.Duration
		want time.Duration
	}{
		{"never seen twice", nil, time.Minute},
		{"one gap proves nothing", []time.Duration{time.Hour}, time.Minute},
		{"every 2 s", []time.Duration{2 * time.Second, 2 * time.Second}, time.Minute},
		{"every hour", []time.Duration{time.Hour, time.Hour}, time.Hour},
		{"every quarter", []time.Duration{15 * time.Minute, 15 * time.Minute}, 15 * time.Minute},
		{"once a day", []time.Duration{24 * time.Hour, 24 * time.Hour}, 24 * time.Hour},
		{"an hourly list missed once", []time.Duration{time.Hour, time.Hour, 2 * time.Hour, time.Hour}, time.Hour},
		{"back after an outage", []time.Duration{time.Second, time.Second, 5 * time.Hour, time.Second}, time.Minute},
		{"more often than it was", []time.Duration{time.Hour, time.Hour, time.Second, time.Second}, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c cadence
			now := time.Unix(1_800_000_000, 0)
			c.seen(now)
			for _, gap := range tt.gaps {
				now = now.Add(gap)
				c.seen(now)
			}
			if got := c.class(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestCadenceOfWhatCameOnce(t *testing.T) {
	var c cadence
	c.seen(time.Unix(1_800_000_000, 0))
	if c.notSeen(9 * time.Minute); c.class() != time.Minute {
		t.Errorf("after 9 min: got %v, want a minute still", c.class())
	}
	if c.notSeen(11 * time.Minute); c.class() != time.Hour {
		t.Errorf("after 11 min: got %v, want an hour", c.class())
	}
}

// TestClassIsAnnounced: what is announced of a quantity changes with its class, and at nothing else.
func TestClassIsAnnounced(t *testing.T) {
	var k descriptors
	now := time.Unix(1_800_000_000, 0)
	var got []time.Duration
	announced := func() {
		for _, q := range k.takeChanged() {
			got = append(got, q.Every)
		}
	}
	for _, gap := range []time.Duration{0, time.Hour, time.Hour, time.Hour} {
		now = now.Add(gap)
		k.value(&quantity.Sample{ID: quantity.ImportEnergy}, now)
		announced()
	}
	k = descriptors{}
	k.value(&quantity.Sample{ID: quantity.ImportEnergy}, now)
	for _, silent := range []time.Duration{0, 9 * time.Minute, 11 * time.Minute, 12 * time.Minute} {
		k.expire(now.Add(silent), now)
		announced()
	}
	if want := []time.Duration{time.Minute, time.Hour, time.Minute, time.Hour}; !slices.Equal(got, want) {
		t.Errorf("announced every %v, want %v", got, want)
	}
}

// TestReviewAfterSilence: a meter that fell silent after it took the place of another has not had its time to send its hourly list.
func TestReviewAfterSilence(t *testing.T) {
	var k descriptors
	start := time.Unix(1_800_000_000, 0)
	k.value(&quantity.Sample{ID: quantity.ImportEnergy}, start)
	k.meterChangedAt = start.Add(time.Minute)
	back := start.Add(3 * time.Hour)
	if gone := k.expire(back, back); len(gone) > 0 {
		t.Errorf("taken back when the meter speaks again: %v", gone)
	}
	if gone := k.expire(back.Add(expireAfterMeterChange), back); len(gone) != 1 {
		t.Errorf("taken back when it has spoken for %v: %v, want the quantity of the meter before", expireAfterMeterChange, gone)
	}
}
