package bridge

import (
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/obis"
)

// TestZoned checks the zone of a meter's time for a time of arrival.
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
		{"the zone of the machine has no effect", with(clock(11, 0), 60), received.In(stockholm), with(clock(11, 0), 60)},
		{"Finnish summer time with the letter of Central European summer time", with(clock(13, 0), 120), received, with(clock(13, 0), 180)},
		{"Norwegian without a zone", clock(12, 0), received, with(clock(12, 0), 120)},
		{"Norwegian with a zone of 0", with(clock(12, 0), 0), received, with(clock(12, 0), 120)},
		{"nine minutes slow", clock(11, 51), received, with(clock(11, 51), 120)},
		{"nine minutes fast", clock(12, 9), received, with(clock(12, 9), 120)},
		{"eleven minutes slow is not changed", clock(11, 49), received, clock(11, 49)},
		{"eleven minutes fast is not changed", with(clock(12, 11), 60), received, with(clock(12, 11), 60)},
		{"no zone west of Greenwich", clock(9, 0), received, clock(9, 0)},
		{"no zone four hours east", with(clock(14, 0), 60), received, with(clock(14, 0), 60)},
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

// TestProfiles checks which sequences of profiles count as a change.
func TestProfiles(t *testing.T) {
	hdlc, short, text := profile{protocol: "hdlc", family: "aidon"}, profile{protocol: "hdlc"}, profile{protocol: "p1", family: "aidon"}
	kaifa, embriq := profile{protocol: "hdlc", family: "kaifa"}, profile{protocol: "hdlc", family: "landisgyr", named: true}
	tests := []struct {
		name string
		seen []profile
		want string
	}{
		{"one profile", []profile{hdlc, hdlc, hdlc, hdlc}, ""},
		{"lists that name no make", []profile{short, short, hdlc, short, short, short, hdlc}, ""},
		{"single telegrams of another profile", []profile{hdlc, text, text, hdlc, text, hdlc}, ""},
		{"another framing", []profile{hdlc, text, text, text, text}, "aidon hdlc > aidon p1; "},
		{"another make", []profile{hdlc, kaifa, short, kaifa}, ""}, // the list without a make may be of the old one
		{"another make, named each time", []profile{hdlc, kaifa, kaifa, kaifa}, "aidon hdlc > kaifa hdlc; "},
		{"lists that look like another make's", []profile{embriq, hdlc, hdlc, hdlc, embriq, hdlc, hdlc, hdlc}, ""},
		{"the name of the list comes later", []profile{hdlc, embriq, hdlc, text, text, text}, "landisgyr hdlc > aidon p1; "},
		{"a make that is named later", []profile{text, short, hdlc, short, hdlc}, "aidon p1 > aidon hdlc; "},
		{"there and back", []profile{hdlc, text, text, text, hdlc, hdlc, hdlc}, "aidon hdlc > aidon p1; aidon p1 > aidon hdlc; "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w profiles
			got := ""
			for _, p := range tt.seen {
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
