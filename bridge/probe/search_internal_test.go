package probe

import (
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/pkg/line"
)

// TestSearchFollowsVerdicts tests which endpoints are skipped or preferred after a verdict.
func TestSearchFollowsVerdicts(t *testing.T) {
	usual := []Endpoint{
		{Line: "115200 8N1", Baud: 115200}, {Line: "2400 8E1", Baud: 2400}, {Line: "2400 8N1", Baud: 2400},
		{Line: "9600 7E1", Baud: 9600}, {Line: "115200 8E1", Baud: 115200},
	}
	tests := []struct {
		name     string
		verdicts []line.Verdict // one for each turn; after the last, there is one more silent turn
		want     string         // the first two digits of the speed in each turn, and | at the end of each round
	}{
		{"silence", repeated(line.Silent, 7), "11 24 24 96 11 | 11 24 24"},
		{"another speed", []line.Verdict{line.OtherBaud, line.Silent, line.Silent, line.Silent}, "11 24 24 96 | 11"},
		{"another speed at each setting (the first and third round skip settings, the second skips none)", repeated(line.OtherBaud, 10), "11 24 96 | 11 24 24 96 11 | 11 24 96"},
		{"another parity", []line.Verdict{line.OtherParity, line.Silent, line.OtherBaud, line.Silent}, "11 11 24 96 | 11"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSearch(Source{Endpoints: Fixed(usual...)}, Options{})
			var got []string
			for _, v := range append(tt.verdicts, line.Silent) {
				rounds := s.failedRounds
				e, err := s.endpoint()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Line[:2])
				if s.giveUp(v); s.failedRounds > rounds {
					got = append(got, "|")
				}
			}
			if text := strings.TrimSuffix(strings.Join(got, " "), " |"); text != tt.want {
				t.Errorf("speeds: got  %s\nwant %s", text, tt.want)
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

// TestVerdictConcernsOnePort checks that a verdict on one port does not skip settings of another port.
func TestVerdictConcernsOnePort(t *testing.T) {
	s := newSearch(Source{Endpoints: Fixed(
		Endpoint{Port: "a", Line: "115200 8N1", Baud: 115200}, Endpoint{Port: "b", Line: "115200 8N1", Baud: 115200},
		Endpoint{Port: "a", Line: "115200 8E1", Baud: 115200}, Endpoint{Port: "b", Line: "115200 8E1", Baud: 115200},
	)}, Options{})
	var got []string
	for _, v := range []line.Verdict{line.OtherBaud, line.Silent, line.Silent} {
		e, err := s.endpoint()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Port+" "+e.Line)
		s.giveUp(v)
	}
	// The verdict on port a skips the second setting of port a, which has the same speed.
	if text, want := strings.Join(got, ", "), "a 115200 8N1, b 115200 8N1, b 115200 8E1"; text != want {
		t.Errorf("got endpoints %s, want %s", text, want)
	}
}

// TestTimeoutOfLastProvedEndpoint checks how long the endpoint that was proved last remains open if no byte arrives. In the first round this is
// Dwell. In later rounds it is the length of the silence so far, but at most LongestInterval.
func TestTimeoutOfLastProvedEndpoint(t *testing.T) {
	lastProved := Endpoint{Line: "2400 8E1"}
	tests := []struct {
		failedRounds int
		silence      time.Duration // before the turn
		want         time.Duration // how long the endpoint remains open if no byte arrives
	}{
		{0, time.Minute, Dwell}, {1, 5 * time.Minute, 5 * time.Minute}, {9, 24 * time.Hour, LongestInterval},
	}
	for _, tt := range tests {
		s := newSearch(Source{}, Options{LastProved: lastProved, ProvedTimeout: func() time.Duration { return time.Minute }})
		s.remaining, s.failedRounds, s.provedAt = []Endpoint{lastProved}, tt.failedRounds, time.Now().Add(-tt.silence)
		timeout, silent := s.timeouts()
		if timeout != Dwell || silent.Round(time.Second) != tt.want {
			t.Errorf("after %v of silence: got timeout %v, silent %v, want %v, %v", tt.silence, timeout, silent, Dwell, tt.want)
		}
	}
}
