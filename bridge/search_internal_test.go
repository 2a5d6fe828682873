package bridge

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/obis"
)

func TestSearchFollowsTheEvidence(t *testing.T) {
	usual := []probe.Endpoint{
		{Line: "115200 8N1", Baud: 115200}, {Line: "2400 8E1", Baud: 2400}, {Line: "2400 8N1", Baud: 2400},
		{Line: "9600 7E1", Baud: 9600}, {Line: "115200 8E1", Baud: 115200},
	}
	tests := []struct {
		name     string
		verdicts []line.Verdict
		want     string // the endpoints by their first two characters, as they are tried
	}{
		{"silence", make([]line.Verdict, 7), "11 24 24 96 11 | 11 24 24"},
		{"another speed", []line.Verdict{line.OtherBaud, line.Silent, line.Silent, line.Silent}, "11 24 24 96 | 11"},
		{"evidence may be wrong", repeated(line.OtherBaud, 10), "11 24 96 | 11 24 24 96 11 | 11 24 96"},
		{"another parity", []line.Verdict{line.OtherParity, line.Silent, line.OtherBaud, line.Silent}, "11 11 24 96 | 11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := search{source: probe.Source{Endpoints: probe.Fixed(usual...)}}
			var got []string
			for _, v := range append(tt.verdicts, line.Silent) {
				rounds := s.fruitless
				c, err := s.endpoint()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, c.Line[:2])
				if s.next(v); s.fruitless > rounds {
					got = append(got, "|")
				}
			}
			if text := strings.TrimSuffix(strings.Join(got, " "), " |"); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
		})
	}
}

func repeated(v line.Verdict, n int) (all []line.Verdict) {
	for range n {
		all = append(all, v)
	}
	return all
}

// TestSearchLeavesOtherPortsAlone: what one port gives says nothing of another.
func TestSearchLeavesOtherPortsAlone(t *testing.T) {
	s := search{source: probe.Source{Endpoints: probe.Fixed(
		probe.Endpoint{Port: "a", Line: "115200 8N1", Baud: 115200}, probe.Endpoint{Port: "b", Line: "115200 8N1", Baud: 115200},
		probe.Endpoint{Port: "a", Line: "115200 8E1", Baud: 115200}, probe.Endpoint{Port: "b", Line: "115200 8E1", Baud: 115200},
	)}}
	var got []string
	for _, v := range []line.Verdict{line.OtherBaud, line.Silent, line.Silent} {
		c, err := s.endpoint()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Port+" "+c.Line)
		s.next(v)
	}
	if text := strings.Join(got, ", "); text != "a 115200 8N1, b 115200 8N1, b 115200 8E1" {
		t.Errorf("got %s", text)
	}
}

func TestAlikeRemembersALittle(t *testing.T) {
	var a alike
	tests := []struct {
		lists, want string // each letter is a list; y: it is believed
	}{
		{"ABCDABCD", "nnnnyyyy"},
		{"ABCDEA", "nnnnnn"}, // more lists than any meter has
		{"AABAC", "nynyn"},
		{"", ""},
	}
	for _, tt := range tests {
		a.forget()
		var got strings.Builder
		for _, list := range tt.lists {
			believed := "n"
			if a.seen([]obis.Record{{Code: obis.Code{byte(list)}}}) {
				believed = "y"
			}
			got.WriteString(believed)
		}
		if got.String() != tt.want {
			t.Errorf("%s: got %s, want %s", tt.lists, got.String(), tt.want)
		}
	}
	for range 2 {
		if a.seen(nil) {
			t.Error("a telegram without a record is believed")
		}
	}
}

// TestDoubt: one that was checked is believed, and those without checksum before it no more; a wire has extra time as often as
// lists are remembered.
func TestDoubt(t *testing.T) {
	var d Doubt
	bare := &meter.Reading{Records: []obis.Record{{Code: obis.Code{1}}}}
	for i, tt := range []struct {
		reading *meter.Reading
		want    bool
	}{{bare, false}, {bare, true}, {&meter.Reading{Checked: true}, true}, {bare, false}, {bare, true}} {
		if got := d.Believes(tt.reading); got != tt.want {
			t.Errorf("reading %d: got %v, want %v", i, got, tt.want)
		}
	}
	waits := 0
	for range 100 {
		if d.Waits() {
			waits++
		}
	}
	if waits != len(d.alike.lists) {
		t.Errorf("got extra time %d times, want %d", waits, len(d.alike.lists))
	}
}

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
		{"a stray telegram", []profile{hdlc, text, text, hdlc, text, hdlc}, ""},
		{"another framing", []profile{hdlc, text, text, text, text}, "aidon hdlc > aidon p1; "},
		{"another make", []profile{hdlc, kaifa, short, kaifa}, ""}, // a list that names none may be the old one's
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
					got += from.String() + " > " + w.now.String() + "; "
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSearchStays: a silent line is left to what worked for as long as it has been silent, and for an hour at most.
func TestSearchStays(t *testing.T) {
	worked := probe.Endpoint{Line: "2400 8E1"}
	tests := []struct {
		fruitless    int
		silent, want time.Duration
	}{
		{0, time.Minute, dwell}, {1, 5 * time.Minute, 5 * time.Minute}, {9, 24 * time.Hour, 70 * time.Minute},
	}
	for _, tt := range tests {
		s := search{left: []probe.Endpoint{worked}, worked: worked, fruitless: tt.fruitless, last: time.Now().Add(-tt.silent)}
		patience, got := s.patience(time.Minute)
		if patience != dwell || got.Round(time.Second) != tt.want {
			t.Errorf("after %v of silence: got %v, %v, want %v, %v", tt.silent, patience, got, dwell, tt.want)
		}
	}
}
