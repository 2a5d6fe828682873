package bridge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

// TestProfileChange checks a meter whose profile is changed while it is read. Grid companies do that remotely.
func TestProfileChange(t *testing.T) {
	const p1Line, mbusLine = "115200 8N1", "2400 8E1"
	tests := []struct {
		name        string
		from, to    string        // families
		lines       [2]string     // line settings before and after the change
		network     bool          // the meter is read through a network reader
		within      time.Duration // the maximum time from the change to the next published telegram
		events      []string
		description bridge.Description // without port and line
	}{
		{"P1 instead of HDLC", "aidon-se", "p1-se-aidon", [2]string{p1Line, p1Line}, false, 10 * time.Second,
			[]string{"profile_changed aidon hdlc > aidon p1"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"HDLC instead of P1", "p1-se-aidon", "aidon-se", [2]string{p1Line, p1Line}, false, 10 * time.Second,
			[]string{"profile_changed aidon p1 > aidon hdlc"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "hdlc"}},
		{"P1 instead of HDLC, through a network reader", "aidon-se", "p1-se-aidon", [2]string{mbusLine, p1Line}, true, 10 * time.Second,
			[]string{"profile_changed aidon hdlc > aidon p1"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"Swedish lists instead of Norwegian ones", "aidon-no", "aidon-se", [2]string{mbusLine, mbusLine}, false, 10 * time.Second, nil,
			bridge.Description{Make: "Aidon", Model: "6534", Serial: "7359990000000001", List: "AIDON_V0001", Protocol: "hdlc"}},
		{"P1 at a higher speed instead of HDLC", "aidon-se", "p1-se-aidon", [2]string{mbusLine, p1Line}, false, time.Minute + searchTime,
			[]string{"settings_changed 2400 8E1 > 115200 8N1", "profile_changed aidon hdlc > aidon p1"},
			bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"HDLC at a lower speed instead of P1", "p1-se-aidon", "aidon-se", [2]string{p1Line, mbusLine}, false, time.Minute + searchTime,
			[]string{"settings_changed 115200 8N1 > 2400 8E1", "profile_changed aidon p1 > aidon hdlc"},
			bridge.Description{Make: "Aidon", Model: "6534", Protocol: "hdlc"}},
		{"P1 of another meter with another parity", "p1-dk-landisgyr", "p1-dk-nes", [2]string{p1Line, "115200 8E1"}, false, time.Minute + searchTime,
			[]string{"settings_changed 115200 8N1 > 115200 8E1", "profile_changed landisgyr p1 > nes p1"},
			bridge.Description{Make: "NES", Model: "00001-3E", Protocol: "p1"}},
		{"another meter, whose make is unknown", "kaifa-no2", "p1-lu-plain", [2]string{p1Line, p1Line}, false, 10 * time.Second,
			[]string{"meter_changed 6970630000000001 > SAG0000000000001", "profile_changed kaifa hdlc > p1"},
			bridge.Description{Model: "200000001_M", Serial: "SAG0000000000001", Protocol: "p1"}},
	}
	for _, tt := range tests {
		for name, waitsForIdle := range map[string]bool{"takes a missing stop bit for a start bit": false, "waits for idle": true} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					from, to := familyWithLine(t, tt.from, tt.lines[0]), familyWithLine(t, tt.to, tt.lines[1])
					h := newHousehold(t, from, &uart{waitsForIdle: waitsForIdle, network: tt.network})
					rec, running := h.startBridge(options())
					defer running.end()
					h.sendUntilPublished(rec, 6, searchTime+9*from.Interval)
					h.check(rec)
					valuesBefore, openingsBefore := rec.clear(), len(h.port.openings())
					h.changeFamily(to)
					h.sendUntilPublished(rec, 1, tt.within+2*to.Interval)
					h.sendUntilPublished(rec, 7, 7*to.Interval)
					h.check(rec)
					rec.inspect(func(rec *recorder) {
						for name := range valuesBefore {
							if _, ok := rec.values[name]; !ok {
								t.Errorf("%s was published before the change, and not after it", name)
							}
						}
						want := tt.events
						if len(h.port.openings()) == openingsBefore && strings.HasPrefix(strings.Join(want, ""), bridge.SettingsChanged) {
							want = want[1:] // a UART that waits for idle reads 8E1 also with the setting 8N1
						}
						if diff := cmp.Diff(want, rec.events); diff != "" {
							t.Errorf("events (-want +got):\n%s", diff)
						}
						rec.description.Port, rec.description.Line = "", ""
						if diff := cmp.Diff(tt.description, rec.description); diff != "" {
							t.Errorf("description (-want +got):\n%s", diff)
						}
					})
				})
			})
		}
	}
}

// familyWithLine returns the family with a name, changed to this line setting.
func familyWithLine(t *testing.T, name, line string) simulate.Family {
	t.Helper()
	f, ok := simulate.Named(name)
	if !ok {
		t.Fatalf("no family %q", name)
	}
	f.Line = line
	return f
}

// clear removes the recorded values and telegrams, and returns the values.
func (r *recorder) clear() (values map[string]string) {
	r.inspect(func(r *recorder) {
		values = r.values
		r.values, r.telegrams, r.telegramTimes = nil, nil, nil
	})
	return values
}

// TestProfileChangedEvent checks that telegrams of a new profile are published from the first one on, and that one event says later that the
// profile has changed.
func TestProfileChangedEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		send := func(family string, telegrams int) {
			m := newMeter(t, family)
			for range telegrams {
				p.send(nextTelegram(m))
				advance(10 * time.Second)
			}
		}
		send("aidon-se", 5)
		send("p1-se-aidon", 1)
		rec.inspect(func(rec *recorder) {
			if len(rec.telegrams) != 6 || len(rec.events) != 0 {
				t.Errorf("after one telegram of the new profile: got %d telegrams and events %q, want 6 and none", len(rec.telegrams), rec.events)
			}
		})
		last := nextTelegram(newMeter(t, "p1-se-aidon"))
		for range 3 {
			p.send(last)
		}
		rec.inspect(func(rec *recorder) {
			if len(rec.events) != 1 || rec.events[0] != "profile_changed aidon hdlc > aidon p1" {
				t.Errorf("got %q, want one profile_changed from aidon hdlc to aidon p1", rec.events)
			}
			for name, want := range decoded(t, last) {
				if rec.values[name] != want {
					t.Errorf("%s: got %s, want %s", name, rec.values[name], want)
				}
			}
			if rec.description.Protocol != "p1" {
				t.Errorf("protocol: got %q, want p1", rec.description.Protocol)
			}
		})
		if got := running.countLines("the format of the telegrams has changed"); got != 1 {
			t.Errorf("logged %d times, want once:\n%s", got, running.log)
		}
		if got := running.countLines("warn"); got != 0 || len(p.dials()) != 1 {
			t.Errorf("%d warnings, and the port was opened %d times, want no warning and once:\n%s", got, len(p.dials()), running.log)
		}
	})
}

// TestListsAreNoProfileChange checks that a Norwegian meter causes no event, although it sends three different lists within an hour.
func TestListsAreNoProfileChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p port
		var rec recorder
		running := run(t, sourceOf(&p), &rec)
		defer running.end()
		m := newMeter(t, "aidon-no")
		for range 2000 {
			p.send(nextTelegram(m))
			advance(2500 * time.Millisecond)
		}
		rec.inspect(func(rec *recorder) {
			if len(rec.events) != 0 {
				t.Errorf("got events %q, want none", rec.events)
			}
		})
	})
}
