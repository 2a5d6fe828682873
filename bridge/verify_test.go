package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestVerify checks that the step accepts verified telegrams only, and returns the corrected clock of the meter.
func TestVerify(t *testing.T) {
	var v verifier
	received := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	r := meter.Reading{Time: obis.Time{Year: 2026, Month: 7, Day: 1, Hour: 12}}
	if _, ok := v.check(&r, received); ok {
		t.Error("a telegram that is not verified is accepted")
	}
	r.Verified = true
	if at, ok := v.check(&r, received); !ok || !at.Zone || at.Offset != 120 {
		t.Errorf("got %v and accepted %v, want a clock with the zone of summer time, and true", at, ok)
	}
}

// TestZoned checks which zone the function zoned gives to the clock of a meter, from the time at which the telegram arrived.
func TestZoned(t *testing.T) {
	clock := func(hour, minute uint8) obis.Time {
		return obis.Time{Year: 2026, Month: 7, Day: 1, Hour: hour, Minute: minute}
	}
	withZone := func(c obis.Time, offset int16) obis.Time {
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
		{"no clock", obis.Time{}, received, obis.Time{}},
		{"Swedish normal time in summer", withZone(clock(11, 0), 60), received, withZone(clock(11, 0), 60)},
		{"Swedish normal time with the zone of summer time", withZone(clock(11, 0), 120), received, withZone(clock(11, 0), 60)},
		{"the zone of the machine has no effect", withZone(clock(11, 0), 60), received.In(stockholm), withZone(clock(11, 0), 60)},
		{"Finnish summer time with the letter of Central European summer time", withZone(clock(13, 0), 120), received, withZone(clock(13, 0), 180)},
		{"Norwegian summer time without a zone", clock(12, 0), received, withZone(clock(12, 0), 120)},
		{"Norwegian summer time with a zone of 0", withZone(clock(12, 0), 0), received, withZone(clock(12, 0), 120)},
		{"a clock that is nine minutes slow", clock(11, 51), received, withZone(clock(11, 51), 120)},
		{"a clock that is nine minutes fast", clock(12, 9), received, withZone(clock(12, 9), 120)},
		{"a clock that is eleven minutes slow is not changed", clock(11, 49), received, clock(11, 49)},
		{"a clock that is eleven minutes fast is not changed", withZone(clock(12, 11), 60), received, withZone(clock(12, 11), 60)},
		{"a clock of a zone west of Greenwich is not changed", clock(9, 0), received, clock(9, 0)},
		{"a clock of a zone four hours east is not changed", withZone(clock(14, 0), 60), received, withZone(clock(14, 0), 60)},
		{"the clock in a recording that is years old is not changed", withZone(clock(11, 0), 60), received.AddDate(-3, 0, 0), withZone(clock(11, 0), 60)},
		{"a clock that shows UTC", clock(10, 0), received, withZone(clock(10, 0), 0)},
		{"a clock that is on the next day already", obis.Time{Year: 2026, Month: 7, Day: 2, Hour: 1}, time.Date(2026, 7, 1, 23, 0, 0, 0, time.UTC),
			withZone(obis.Time{Year: 2026, Month: 7, Day: 2, Hour: 1}, 120)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := zoned(tt.clock, tt.received); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
