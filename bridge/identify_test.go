package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestZoned checks which zone a meter's clock is given by the time at which the telegram arrived.
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
		{"Norwegian without a zone", clock(12, 0), received, withZone(clock(12, 0), 120)},
		{"Norwegian with a zone of 0", withZone(clock(12, 0), 0), received, withZone(clock(12, 0), 120)},
		{"nine minutes slow", clock(11, 51), received, withZone(clock(11, 51), 120)},
		{"nine minutes fast", clock(12, 9), received, withZone(clock(12, 9), 120)},
		{"eleven minutes slow is not changed", clock(11, 49), received, clock(11, 49)},
		{"eleven minutes fast is not changed", withZone(clock(12, 11), 60), received, withZone(clock(12, 11), 60)},
		{"no zone west of Greenwich", clock(9, 0), received, clock(9, 0)},
		{"no zone four hours east", withZone(clock(14, 0), 60), received, withZone(clock(14, 0), 60)},
		{"a recording years old", withZone(clock(11, 0), 60), received.AddDate(-3, 0, 0), withZone(clock(11, 0), 60)},
		{"UTC", clock(10, 0), received, withZone(clock(10, 0), 0)},
		{"after midnight", obis.Time{Year: 2026, Month: 7, Day: 2, Hour: 1}, time.Date(2026, 7, 1, 23, 0, 0, 0, time.UTC),
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

// TestProfiles checks which sequences of profiles count as a change.
func TestProfiles(t *testing.T) {
	aidon, short, aidonP1 := profile{protocol: "hdlc", family: "aidon"}, profile{protocol: "hdlc"}, profile{protocol: "p1", family: "aidon"}
	kaifa, embriq := profile{protocol: "hdlc", family: "kaifa"}, profile{protocol: "hdlc", family: "landisgyr", named: true}
	tests := []struct {
		name string
		sent []profile
		want string
	}{
		{"one profile", []profile{aidon, aidon, aidon, aidon}, ""},
		{"short lists, which name no make", []profile{short, short, aidon, short, short, short, aidon}, ""},
		{"single telegrams of another profile", []profile{aidon, aidonP1, aidonP1, aidon, aidonP1, aidon}, ""},
		{"another framing", []profile{aidon, aidonP1, aidonP1, aidonP1, aidonP1}, "aidon hdlc > aidon p1; "},
		{"another make, then a short list", []profile{aidon, kaifa, short, kaifa}, ""}, // the short list may be of the old make
		{"another make", []profile{aidon, kaifa, kaifa, kaifa}, "aidon hdlc > kaifa hdlc; "},
		{"lists like those of another make", []profile{embriq, aidon, aidon, aidon, embriq, aidon, aidon, aidon}, ""},
		{"the name of the list comes later", []profile{aidon, embriq, aidon, aidonP1, aidonP1, aidonP1}, "landisgyr hdlc > aidon p1; "},
		{"a make that is named later", []profile{aidonP1, short, aidon, short, aidon}, "aidon p1 > aidon hdlc; "},
		{"there and back", []profile{aidon, aidonP1, aidonP1, aidonP1, aidon, aidon, aidon}, "aidon hdlc > aidon p1; aidon p1 > aidon hdlc; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w profiles
			got := ""
			for _, p := range tt.sent {
				if from, changed := w.add(p); changed {
					got += from.String() + " > " + w.current.String() + "; "
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
