package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

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

// TestProfiles checks which sequences of profiles count as a change.
func TestProfiles(t *testing.T) {
	aidon, short, aidonP1 := profile{protocol: "hdlc", family: "aidon"}, profile{protocol: "hdlc"}, profile{protocol: "p1", family: "aidon"}
	kaifa, embriq := profile{protocol: "hdlc", family: "kaifa"}, profile{protocol: "hdlc", family: "landisgyr", named: true}
	tests := []struct {
		name string
		sent []profile
		want string // the changes, each as "from > to; "
	}{
		{"one profile", []profile{aidon, aidon, aidon, aidon}, ""},
		{"short lists, which name no make", []profile{short, short, aidon, short, short, short, aidon}, ""},
		{"single telegrams of another profile", []profile{aidon, aidonP1, aidonP1, aidon, aidonP1, aidon}, ""},
		{"another framing", []profile{aidon, aidonP1, aidonP1, aidonP1, aidonP1}, "aidon hdlc > aidon p1; "},
		{"another make, then a short list", []profile{aidon, kaifa, short, kaifa}, ""}, // the short list is possibly of the old make
		{"another make", []profile{aidon, kaifa, kaifa, kaifa}, "aidon hdlc > kaifa hdlc; "},
		{"lists with the name of the make, and short lists like those of Aidon", []profile{embriq, aidon, aidon, aidon, embriq, aidon, aidon, aidon}, ""},
		{"a list whose name shows another make than the first list", []profile{aidon, embriq, aidon, aidonP1, aidonP1, aidonP1}, "landisgyr hdlc > aidon p1; "},
		{"a new framing whose first list names no make", []profile{aidonP1, short, aidon, short, aidon}, "aidon p1 > aidon hdlc; "},
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
