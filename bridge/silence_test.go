package bridge_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hanbridge/hanbridge/bridge/probe"
	"github.com/hanbridge/hanbridge/pkg/line"
)

// adviceFor returns the advice that is logged for bytes without a telegram.
func adviceFor(b []byte) string {
	var e line.Evidence
	e.Add(b)
	return probe.Advice(e.Verdict())
}

// TestSilenceCause checks which cause of a silence is logged, and how often.
func TestSilenceCause(t *testing.T) {
	telegram := nextTelegram(newMeter(t, "p1-se-aidon"))
	withoutFirstLine := telegram[bytes.IndexByte(telegram, '\n')+1:]
	tests := []struct {
		name   string
		ports  int
		sent   []byte // by each port
		online bool   // the meter has sent a telegram before
		want   string
	}{
		{"no bytes", 1, nil, false, "activate the HAN port"},
		{"no bytes at several settings", 7, nil, false, "activate the HAN port"},
		{"the bytes of another setting", 1, garbage, false, adviceFor(garbage)},
		{"garbage at several settings", 3, garbage, false, "no telegram at any setting tried"},
		{"a telegram without its first line", 1, withoutFirstLine, false, adviceFor(withoutFirstLine)},
		{"a meter that sends nothing any more", 1, nil, true, "meter is silent"},
		{"a meter that sends with another setting than before", 1, garbage, true, adviceFor(garbage)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ports := make([]*port, tt.ports)
				for i := range ports {
					ports[i] = &port{greeting: tt.sent}
				}
				running := run(t, sourceOf(ports...))
				defer running.end()
				if tt.online {
					ports[0].send(nextTelegram(newMeter(t, "aidon-se")))
					advance(30 * time.Second)
					ports[0].send(tt.sent)
				}
				countWanted := func() int { return running.countLines(tt.want) }
				for minutes, want := range []int{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2} {
					if got := countWanted(); minutes != 1 && got != want { // the first line comes after about a minute, or when all settings have been tried
						t.Fatalf("after %d minutes: logged %d times, want %d:\n%s", minutes, got, want, running.log)
					}
					advance(time.Minute + time.Second)
				}
				if got := running.countLines("warn"); got != countWanted() {
					t.Errorf("the log has %d warnings, want only the %d about the cause:\n%s", got, countWanted(), running.log)
				}
			})
		})
	}
}

// TestSilenceBestEvidence checks that the logged cause is that of the setting with the best evidence. With one setting, the bytes are
// garbage; with the other one, they are lines of a telegram.
func TestSilenceBestEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeter(t, "p1-se-aidon")
		telegram := nextTelegram(m)
		ports := []*port{{greeting: garbage}, {greeting: telegram[bytes.IndexByte(telegram, '\n')+1:]}}
		running := run(t, sourceOf(ports...))
		defer running.end()
		advance(5 * time.Minute)
		if got := running.countLines(`"line":"setting 1"`); got != 1 || running.countLines(probe.Advice(line.P1Lines)) != 1 {
			t.Errorf("want one line about setting 1:\n%s", running.log)
		}
	})
}
