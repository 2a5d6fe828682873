package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

func TestZoned(t *testing.T) {
	clock := func(hour, minute uint8) obis.Time {
		return obis.Time{Year: 2026, Month: 7, Day: 1, Hour: hour, Minute: minute}
	}
	with := func(c obis.Time, offset int16) obis.Time {
		c.Zone, c.Offset = true, offset
		return c
	}
	received := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	stockholm := time.FixedZone("", 2*3600)
	tests := []struct {
		name     string
		clock    obis.Time
		received time.Time
		want     obis.Time
	}{
		{"none", obis.Time{}, received, obis.Time{}},
		{"Swedish normal time in summer", with(clock(11, 0), 60), received, with(clock(11, 0), 60)},
		{"Swedish normal time called summer time", with(clock(11, 0), 120), received, with(clock(11, 0), 60)},
		{"the bridge's own zone does not count", with(clock(11, 0), 60), received.In(stockholm), with(clock(11, 0), 60)},
		{"Finnish summer with the letter of Central Europe", with(clock(13, 0), 120), received, with(clock(13, 0), 180)},
		{"Norwegian without a zone", clock(12, 0), received, with(clock(12, 0), 120)},
		{"Norwegian with a zone of 0", with(clock(12, 0), 0), received, with(clock(12, 0), 120)},
		{"nine minutes slow", clock(11, 51), received, with(clock(11, 51), 120)},
		{"nine minutes fast", clock(12, 9), received, with(clock(12, 9), 120)},
		{"eleven minutes slow is left alone", clock(11, 49), received, clock(11, 49)},
		{"eleven minutes fast is left alone", with(clock(12, 11), 60), received, with(clock(12, 11), 60)},
		{"west of Greenwich is no zone of a meter", clock(9, 0), received, clock(9, 0)},
		{"nor is four hours east", with(clock(14, 0), 60), received, with(clock(14, 0), 60)},
		{"a recording years old", with(clock(11, 0), 60), received.AddDate(-3, 0, 0), with(clock(11, 0), 60)},
		{"UTC", clock(10, 0), received, with(clock(10, 0), 0)},
		{"over midnight", obis.Time{Year: 2026, Month: 7, Day: 2, Hour: 1}, time.Date(2026, 7, 1, 23, 0, 0, 0, time.UTC),
			with(obis.Time{Year: 2026, Month: 7, Day: 2, Hour: 1}, 120)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := zoned(tt.clock, tt.received); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
