//go:build linux

// Package hub_test tests the program with a model of Home Assistant, and with Node-RED.
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

func TestMain(m *testing.M) { testbed.Main(m) }

// TestHubs tests the program with a model of Home Assistant (hatest.Hub), which processes its announcements.
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

// heardBy returns a model of Home Assistant that has processed all announcements so far.
func heardBy(messages *testbed.MessageLog) *hatest.Hub {
	hub := hatest.NewHub("homeassistant")
	for line := range strings.Lines(messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			hub.Receive(topic, []byte(payload))
		}
	}
	return hub
}

// alive returns the announced entities of the hub. Each has the time of its creation, which changes if the entity is removed and added again.
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

// testStyles changes the style of announcements there and back. No entity may be lost, doubled, or removed and added again.
func testStyles(t *testing.T, remembers bool) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=off"
	if remembers {
		state = "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	}
	var before []hatest.Entity
	for i, style := range []string{"device", "component", "device"} {
		run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+style)
		run.AwaitOutput("port opened")
		settled := func() bool {
			kept := announcedTopics(messages)
			return len(kept) > 0 && !slices.ContainsFunc(kept, func(topic string) bool {
				return strings.Contains(topic, "/device/") != (style == "device")
			})
		}
		cable.SendUntil(time.Second, "announced as "+style+" alone", settled)
		run.Stop(syscall.SIGTERM)
		hub := heardBy(messages)
		if len(hub.Warnings) > 0 {
			t.Errorf("%s: the hub complains: %q", style, hub.Warnings)
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

// testCrowd has more foreign announcements on the broker than the broker queues for a client. All of the bridge's own must be found.
func testCrowd(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	var lamps []testbed.Message
	for i := range 1500 {
		lamps = append(lamps, testbed.Message{Topic: fmt.Sprintf("homeassistant/sensor/lamp_%04d/power/config", i), Payload: "{}", Retained: true})
	}
	broker.Publish(lamps...)
	messages := broker.LogMessages()
	variables := []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_DISCOVERY=component"}
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "the house", func() bool { return messages.Last()["hanbridge/house/status"] == "online" })
	run.Stop(syscall.SIGTERM)
	diff := testbed.Hanbridge(t, variables, "discovery", "diff")
	diff.AwaitOutput("no difference: ")
}

// announcedTopics returns the discovery topics with a payload that is not empty.
func announcedTopics(messages *testbed.MessageLog) (all []string) {
	for topic, payload := range messages.Last() {
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

// testTwoMeters tests two meters: if the port of one is missing or vanishes, the other is published as before.
func testTwoMeters(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "aidon-se")
	barn.Unplug()
	messages := broker.LogMessages()
	url := strings.TrimPrefix(broker.URLVariable(), "HANBRIDGE_MQTT_URL=")
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Name, "$BARN", barn.Name)
	run := testbed.Hanbridge(t, nil, "run", "--config", file)
	run.AwaitOutput("no such port")
	hears := func(meter string) func() bool {
		return func() bool { return messages.Last()["hanbridge/"+meter+"/import_energy"] != "" }
	}
	house.SendUntil(300*time.Millisecond, "values of the house", hears("house"))
	messages.AwaitMessage("hanbridge/barn/status", "offline")
	messages.AwaitMessage("hanbridge/house/status", "online")

	barn.Plug()
	barn.SendUntil(time.Second, "values of the barn", hears("barn"))
	messages.AwaitMessage("hanbridge/barn/status", "online")
	for _, topic := range []string{"homeassistant/device/hanbridge_house/config", "homeassistant/device/hanbridge_barn/config"} {
		messages.AwaitMessage(topic)
	}
	house.Unplug()
	messages.Reset()
	barn.SendUntil(time.Second, "values of the barn without the house", hears("barn"))
	if got, ok := messages.Last()["hanbridge/barn/status"]; ok {
		t.Errorf("the barn's status was told again, %s, when the house's port vanished", got)
	}
	run.Stop(syscall.SIGTERM)
}

// testLeaves removes a meter from the configuration. All its retained messages must go, and those of the other meter must stay.
func testLeaves(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "p1-se-kamstrup")
	url, state := strings.TrimPrefix(broker.URLVariable(), "HANBRIDGE_MQTT_URL="), []string{"HANBRIDGE_STATE_DIR=" + t.TempDir()}
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Name, "$BARN", barn.Name)
	run := testbed.Hanbridge(t, state, "run", "--config", file)
	run.AwaitOutput("mqtt connected")
	messages := broker.LogMessages()
	both := func() bool {
		return messages.Last()["hanbridge/house/status"] == "online" && messages.Last()["hanbridge/barn/status"] == "online" && len(announcedTopics(messages)) == 3
	}
	barn.SendUntil(time.Second, "both meters", func() bool { house.Send(); <-time.After(300 * time.Millisecond); return both() })
	run.Stop(syscall.SIGTERM)

	alone := strings.Join(slices.DeleteFunc(strings.Split(twoMeters, "\n"), func(l string) bool { return strings.Contains(l, "barn") }), "\n")
	file = configFile(t, alone, "$URL", url, "$HOUSE", house.Name)
	run = testbed.Hanbridge(t, state, "run", "--config", file)
	run.AwaitOutput("taken back from home assistant")
	house.SendUntil(300*time.Millisecond, "the house again", func() bool { return messages.Last()["hanbridge/house/status"] == "online" })
	run.Stop(syscall.SIGTERM)
	kept := broker.Retained()
	for topic := range kept {
		if strings.Contains(topic, "barn") {
			t.Errorf("%s is still retained", topic)
		}
	}
	if kept["homeassistant/device/hanbridge_house/config"] == "" || kept["hanbridge/house/import_energy"] == "" {
		t.Error("the meter that stays is gone too")
	}
}
