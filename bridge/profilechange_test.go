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

// TestProfileChange checks a meter whose profile is changed while it is read, as grid companies do remotely.
func TestProfileChange(t *testing.T) {
	const speed, mbus = "115200 8N1", "2400 8E1"
	tests := []struct {
		name     string
		from, to string // families
		lines    [2]string
		network  bool
		within   time.Duration // in which a telegram must be published
		events   []string
		about    bridge.Description // without port and line
	}{
		{"another list", "aidon-se", "p1-se-aidon", [2]string{speed, speed}, false, 10 * time.Second,
			[]string{"profile_changed aidon hdlc > aidon p1"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"the other way", "p1-se-aidon", "aidon-se", [2]string{speed, speed}, false, 10 * time.Second,
			[]string{"profile_changed aidon p1 > aidon hdlc"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "hdlc"}},
		{"behind a network-attached reader", "aidon-se", "p1-se-aidon", [2]string{mbus, speed}, true, 10 * time.Second,
			[]string{"profile_changed aidon hdlc > aidon p1"}, bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"Norwegian lists on the M-Bus port", "aidon-no", "aidon-se", [2]string{mbus, mbus}, false, 10 * time.Second, nil,
			bridge.Description{Make: "Aidon", Model: "6534", Serial: "7359990000000001", List: "AIDON_V0001", Protocol: "hdlc"}},
		{"another speed", "aidon-se", "p1-se-aidon", [2]string{mbus, speed}, false, time.Minute + searchTime,
			[]string{"settings_changed 2400 8E1 > 115200 8N1", "profile_changed aidon hdlc > aidon p1"},
			bridge.Description{Make: "Aidon", Model: "6534", Protocol: "p1"}},
		{"a slower speed", "p1-se-aidon", "aidon-se", [2]string{speed, mbus}, false, time.Minute + searchTime,
			[]string{"settings_changed 115200 8N1 > 2400 8E1", "profile_changed aidon p1 > aidon hdlc"},
			bridge.Description{Make: "Aidon", Model: "6534", Protocol: "hdlc"}},
		{"another parity", "p1-dk-landisgyr", "p1-dk-nes", [2]string{speed, "115200 8E1"}, false, time.Minute + searchTime,
			[]string{"settings_changed 115200 8N1 > 115200 8E1", "profile_changed landisgyr p1 > nes p1"},
			bridge.Description{Make: "NES", Model: "00001-3E", Protocol: "p1"}},
		{"another meter, whose make is unknown", "kaifa-no2", "p1-lu-plain", [2]string{speed, speed}, false, 10 * time.Second,
			[]string{"meter_changed 6970630000000001 > SAG0000000000001", "profile_changed kaifa hdlc > p1"},
			bridge.Description{Model: "200000001_M", Serial: "SAG0000000000001", Protocol: "p1"}},
	}
	for _, tt := range tests {
		for name, patient := range map[string]bool{"takes a start bit": false, "waits for idle": true} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					from, to := familyWithLine(t, tt.from, tt.lines[0]), familyWithLine(t, tt.to, tt.lines[1])
					h := newHousehold(t, from, &uart{patient: patient, network: tt.network})
					n, running := h.read(options())
					defer running.end()
					h.sendUntil(n, 6, searchTime+9*from.Interval)
					h.check(n)
					before, tries := n.clear(), len(h.port.openings())
					h.changeFamily(to)
					h.sendUntil(n, 1, tt.within+2*to.Interval)
					h.sendUntil(n, 7, 7*to.Interval)
					h.check(n)
					n.inspect(func(n *recorder) {
						for name := range before {
							if _, ok := n.values[name]; !ok {
								t.Errorf("%s was published before the change, and not after it", name)
							}
						}
						want := tt.events
						if len(h.port.openings()) == tries && strings.HasPrefix(strings.Join(want, ""), bridge.SettingsChanged) {
							want = want[1:] // a UART that waits for idle also reads 8E1 with the setting 8N1
						}
						if diff := cmp.Diff(want, n.events); diff != "" {
							t.Errorf("events (-want +got):\n%s", diff)
						}
						n.description.Port, n.description.Line = "", ""
						if diff := cmp.Diff(tt.about, n.description); diff != "" {
							t.Errorf("about the meter (-want +got):\n%s", diff)
						}
					})
				})
			})
		}
	}
}

// familyWithLine returns a family with another line setting.
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
func (n *recorder) clear() (values map[string]string) {
	n.inspect(func(n *recorder) {
		values = n.values
		n.values, n.telegrams, n.telegramTimes = nil, nil, nil
	})
	return values
}
