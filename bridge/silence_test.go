package bridge_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// adviceFor returns the advice for bytes without a telegram.
func adviceFor(b []byte) string {
	var e line.Evidence
	e.Add(b)
	return probe.Advice(e.Verdict())
}

// TestSilenceCause checks which cause of a silence is logged, and how often.
func TestSilenceCause(t *testing.T) {
	telegram := nextTelegram(newMeter(t, "p1-se-aidon"))
	rest := telegram[bytes.IndexByte(telegram, '\n')+1:] // a telegram whose first line is lost
	tests := []struct {
		name   string
		ports  int
		sent   []byte // to each port
		online bool   // the meter has sent a telegram before
		want   string
	}{
		{"no bytes", 1, nil, false, "activate the HAN port"},
		{"no bytes at several settings", 7, nil, false, "activate the HAN port"},
		{"the bytes of another setting", 1, garbage, false, adviceFor(garbage)},
		{"garbage at several settings", 3, garbage, false, "no telegram at any setting tried"},
		{"pieces of telegrams", 1, rest, false, adviceFor(rest)},
		{"a meter that stopped", 1, nil, true, "meter is silent"},
		{"a meter that changed its setting", 1, garbage, true, adviceFor(garbage)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ports := make([]*port, tt.ports)
				for i := range ports {
					ports[i] = &port{greeting: tt.sent}
				}
				h := run(t, source(ports...))
				defer h.end()
				if tt.online {
					ports[0].send(nextTelegram(newMeter(t, "aidon-se")))
					advance(30 * time.Second)
					ports[0].send(tt.sent)
				}
				logged := func() int { return h.countLines(tt.want) }
				for minutes, want := range []int{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2} {
					if got := logged(); minutes != 1 && got != want { // about a minute, or when all have been tried
						t.Fatalf("after %d minutes: logged %d times, want %d:\n%s", minutes, got, want, h.log)
					}
					advance(time.Minute + time.Second)
				}
				if got := h.countLines("warn"); got != logged() {
					t.Errorf("the log has %d warnings, %d of them about the cause:\n%s", got, logged(), h.log)
				}
			})
		})
	}
}

// TestSilenceBestEvidence checks that the cause is that of the setting with the best evidence: garbage at one, lines of a telegram at the other.
func TestSilenceBestEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeter(t, "p1-se-aidon")
		telegram := nextTelegram(m)
		ports := []*port{{greeting: garbage}, {greeting: telegram[bytes.IndexByte(telegram, '\n')+1:]}}
		h := run(t, source(ports...))
		defer h.end()
		advance(5 * time.Minute)
		if got := h.countLines(`"line":"setting 1"`); got != 1 || h.countLines(probe.Advice(line.P1Lines)) != 1 {
			t.Errorf("want one line about setting 1:\n%s", h.log)
		}
	})
}

// TestProfileChangedEvent checks that the event comes with the third telegram of the new profile, and that no telegram is lost.
func TestProfileChangedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		send := func(family string, telegrams int) {
			m := newMeter(t, family)
			for range telegrams {
				p.send(nextTelegram(m))
				advance(10 * time.Second)
			}
		}
		send("aidon-se", 5)
		send("p1-se-aidon", 1)
		n.inspect(func(n *recorder) {
			if len(n.telegrams) != 6 || len(n.events) != 0 {
				t.Errorf("at the change: got %d telegrams, %q, want 6 and no event yet", len(n.telegrams), n.events)
			}
		})
		m := newMeter(t, "p1-se-aidon")
		last := nextTelegram(m)
		p.send(last)
		p.send(last)
		p.send(last)
		n.inspect(func(n *recorder) {
			if len(n.events) != 1 || n.events[0] != "profile_changed aidon hdlc > aidon p1" {
				t.Errorf("got %q, want one profile_changed from aidon hdlc to aidon p1", n.events)
			}
			for name, want := range decoded(t, last) {
				if n.values[name] != want {
					t.Errorf("%s: got %s, want %s", name, n.values[name], want)
				}
			}
			if n.description.Protocol != "p1" {
				t.Errorf("protocol: got %q, want p1", n.description.Protocol)
			}
		})
		if got := h.countLines("the meter speaks another profile"); got != 1 {
			t.Errorf("logged %d times, want once:\n%s", got, h.log)
		}
		if got := h.countLines("warn"); got != 0 || len(p.dials()) != 1 {
			t.Errorf("%d warnings, opened %d times, want none and once:\n%s", got, len(p.dials()), h.log)
		}
	})
}

// TestListsAreNoProfileChange checks that the three lists of a Norwegian meter within an hour cause no event.
func TestListsAreNoProfileChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var n recorder
		h := run(t, source(&p), &n)
		defer h.end()
		m := newMeter(t, "aidon-no")
		for range 2000 {
			p.send(nextTelegram(m))
			advance(2500 * time.Millisecond)
		}
		n.inspect(func(n *recorder) {
			if len(n.events) != 0 {
				t.Errorf("got %q, want no event", n.events)
			}
		})
	})
}
