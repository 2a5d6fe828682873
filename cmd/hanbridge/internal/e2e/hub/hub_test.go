//go:build linux

package hub_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestHubs runs the program beside a hub that knows what Home Assistant makes of its announcements.
func TestHubs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"style changes":                  func(t *testing.T) { testStyles(t, true) },
		"style changes without memory":   func(t *testing.T) { testStyles(t, false) },
		"others announce very much":      testCrowd,
		"meter leaves":                   testLeaves,
		"one of two meters is not there": testTwoMeters,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// heardBy is what a hub made of all that was announced so far.
func heardBy(ears *testbed.Listener) *hatest.Hub {
	hub := hatest.NewHub("homeassistant")
	for line := range strings.Lines(ears.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			hub.Hear(topic, []byte(payload))
		}
	}
	return hub
}

// alive are the entities of the hub that somebody announces, each with its birth: an entity that was removed between has another.
func alive(hub *hatest.Hub, topics bool) (all []hatest.Entity) {
	for _, e := range hub.Entities() {
		if e.Topic == "" {
			continue
		}
		if !topics {
			e.Topic = ""
		}
		all = append(all, e)
	}
	return all
}

// testStyles changes the style there and back: no entity is lost, doubled, or born again.
func testStyles(t *testing.T, remembers bool) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	state := "HANBRIDGE_STATE_DIR=off"
	if remembers {
		state = "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	}
	var before []hatest.Entity
	for i, style := range []string{"device", "component", "device"} {
		run := testbed.StartBridge(t, broker.URL(), cable.Variable(), state, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+style)
		run.Await("port opened")
		settled := func() bool {
			kept := announcedTopics(ears)
			return len(kept) > 0 && !slices.ContainsFunc(kept, func(topic string) bool {
				return strings.Contains(topic, "/device/") != (style == "device")
			})
		}
		cable.SendUntil(time.Second, "announced as "+style+" alone", settled)
		run.End(syscall.SIGTERM)
		hub := heardBy(ears)
		if len(hub.Complaints) > 0 {
			t.Errorf("%s: the hub complains: %q", style, hub.Complaints)
		}
		now := alive(hub, false)
		if i > 0 {
			if diff := cmp.Diff(before, now); diff != "" || len(now) < 30 {
				t.Errorf("%d entities as %s (-before +after):\n%s", len(now), style, diff)
			}
		}
		before = now
	}
}

// testCrowd has more announcements of others on the broker than it keeps for a client at a time: all of ours are seen.
func testCrowd(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	var lamps []testbed.Message
	for i := range 1500 {
		lamps = append(lamps, testbed.Message{Topic: fmt.Sprintf("homeassistant/sensor/lamp_%04d/power/config", i), Payload: "{}", Retained: true})
	}
	broker.Publish(lamps...)
	ears := broker.Listen()
	variables := []string{broker.URL(), cable.Variable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_DISCOVERY=component"}
	run := testbed.StartBridge(t, variables...)
	run.Await("port opened")
	cable.SendUntil(time.Second, "the house", func() bool { return ears.Heard()["hanbridge/house/status"] == "online" })
	run.End(syscall.SIGTERM)
	diff := testbed.Hanbridge(t, variables, "discovery", "diff")
	diff.Await("no difference: ")
}

// announcedTopics are the discovery topics that hold something.
func announcedTopics(ears *testbed.Listener) (all []string) {
	for topic, payload := range ears.Heard() {
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") && payload != "" {
			all = append(all, topic)
		}
	}
	return all
}

const twoMeters = `
mqtt: { url: "$URL" }
publish: realtime
meters:
  - { id: house, port: "$HOUSE", serial: 115200 8N1 }
  - { id: barn, port: "$BARN", serial: 115200 8N1 }
`

func configFile(t *testing.T, text string, values ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(strings.NewReplacer(values...).Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// testTwoMeters has one whose port is missing, then one whose port vanishes: the other does not notice.
func testTwoMeters(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "aidon-se")
	barn.Unplug()
	ears := broker.Listen()
	url := strings.TrimPrefix(broker.URL(), "HANBRIDGE_MQTT_URL=")
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Name, "$BARN", barn.Name)
	run := testbed.Hanbridge(t, nil, "run", "--config", file)
	run.Await("no such port")
	hears := func(meter string) func() bool {
		return func() bool { return ears.Heard()["hanbridge/"+meter+"/import_energy"] != "" }
	}
	house.SendUntil(300*time.Millisecond, "values of the house", hears("house"))
	ears.Hear("hanbridge/barn/status", "offline")
	ears.Hear("hanbridge/house/status", "online")

	barn.Plug()
	barn.SendUntil(time.Second, "values of the barn", hears("barn"))
	ears.Hear("hanbridge/barn/status", "online")
	for _, topic := range []string{"homeassistant/device/hanbridge_house/config", "homeassistant/device/hanbridge_barn/config"} {
		ears.Hear(topic)
	}
	house.Unplug()
	ears.Forget()
	barn.SendUntil(time.Second, "values of the barn without the house", hears("barn"))
	if got, ok := ears.Heard()["hanbridge/barn/status"]; ok {
		t.Errorf("the barn's status was told again, %s, when the house's port vanished", got)
	}
	run.End(syscall.SIGTERM)
}

// testLeaves takes a meter out of the configuration: nothing of it stays on the broker, and all of the other.
func testLeaves(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "p1-se-kamstrup")
	url, state := strings.TrimPrefix(broker.URL(), "HANBRIDGE_MQTT_URL="), []string{"HANBRIDGE_STATE_DIR=" + t.TempDir()}
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Name, "$BARN", barn.Name)
	run := testbed.Hanbridge(t, state, "run", "--config", file)
	run.Await("mqtt connected")
	ears := broker.Listen()
	both := func() bool {
		return ears.Heard()["hanbridge/house/status"] == "online" && ears.Heard()["hanbridge/barn/status"] == "online" && len(announcedTopics(ears)) == 3
	}
	barn.SendUntil(time.Second, "both meters", func() bool { house.Send(); <-time.After(300 * time.Millisecond); return both() })
	run.End(syscall.SIGTERM)

	alone := strings.Join(slices.DeleteFunc(strings.Split(twoMeters, "\n"), func(l string) bool { return strings.Contains(l, "barn") }), "\n")
	file = configFile(t, alone, "$URL", url, "$HOUSE", house.Name)
	run = testbed.Hanbridge(t, state, "run", "--config", file)
	run.Await("taken back from home assistant")
	house.SendUntil(300*time.Millisecond, "the house again", func() bool { return ears.Heard()["hanbridge/house/status"] == "online" })
	run.End(syscall.SIGTERM)
	kept := broker.Kept()
	for topic := range kept {
		if strings.Contains(topic, "barn") {
			t.Errorf("%s is still retained", topic)
		}
	}
	if kept["homeassistant/device/hanbridge_house/config"] == "" || kept["hanbridge/house/import_energy"] == "" {
		t.Error("the meter that stays is gone too")
	}
}
