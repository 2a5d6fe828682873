//go:build linux

// Package hub_test tests the announcements of the program with a model of Home Assistant. It also tests the flow for Node-RED in the folder deploy.
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

// TestHub tests the announcements and retained messages of the program. A model of Home Assistant (hatest.Hub) must have the right entities.
func TestHub(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"style changes":                  func(t *testing.T) { testStyles(t, true) },
		"style changes, no state folder": func(t *testing.T) { testStyles(t, false) },
		"many other announcements":       testManyAnnouncements,
		"meter removed":                  testMeterRemoved,
		"one of two meters is missing":   testTwoMeters,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// hubAfter returns a model of Home Assistant that has processed all announcements in the log.
func hubAfter(messages *testbed.MessageLog) *hatest.Hub {
	hub := hatest.NewHub("homeassistant")
	for line := range strings.Lines(messages.Text()) {
		topic, payload, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(topic, "homeassistant/") && strings.HasSuffix(topic, "/config") {
			hub.Receive(topic, []byte(payload))
		}
	}
	return hub
}

// entities returns the announced entities of the hub without their topics. A comparison also finds an entity
// that was removed and added again, because its field Created differs.
func entities(hub *hatest.Hub) (announced []hatest.Entity) {
	for _, e := range hub.Entities() {
		if e.Topic != "" { // an entity without a topic is not announced any more
			e.Topic = ""
			announced = append(announced, e)
		}
	}
	return announced
}

// testStyles changes the style of announcements from device to component and back, with or without a state folder. The hub must
// keep all entities. It must not remove an entity and add it again.
func testStyles(t *testing.T, withState bool) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=off"
	if withState {
		state = "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	}
	var previous []hatest.Entity // with the previous style
	for i, style := range []string{"device", "component", "device"} {
		run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+style)
		run.AwaitOutput("port opened")
		hasOtherStyle := func(topic string) bool { return strings.Contains(topic, "/device/") != (style == "device") }
		announced := func() bool {
			topics := announcedTopics(messages)
			return len(topics) > 0 && !slices.ContainsFunc(topics, hasOtherStyle)
		}
		cable.SendUntil(time.Second, "announced only as "+style, announced)
		run.Stop(syscall.SIGTERM)
		hub := hubAfter(messages)
		if len(hub.Warnings) > 0 {
			t.Errorf("%s: warnings of the hub: %q", style, hub.Warnings)
		}
		current := entities(hub)
		if i > 0 {
			if diff := cmp.Diff(previous, current); diff != "" || len(current) < 30 {
				t.Errorf("%d entities as %s (-before +after):\n%s", len(current), style, diff)
			}
		}
		previous = current
	}
}

// testManyAnnouncements retains more announcements of other programs than the broker queues for a client. The command "discovery diff" must
// still find all announcements of the bridge.
func testManyAnnouncements(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	var lamps []testbed.Message
	for i := range 1500 { // Mosquitto queues 1000
		lamps = append(lamps, testbed.Message{Topic: fmt.Sprintf("homeassistant/sensor/lamp_%04d/power/config", i), Payload: "{}", Retained: true})
	}
	broker.Publish(lamps...)
	messages := broker.LogMessages()
	variables := []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_DISCOVERY=component"}
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "status of the house", func() bool { return messages.Last()["hanbridge/house/status"] == "online" })
	run.Stop(syscall.SIGTERM)
	diff := testbed.Hanbridge(t, variables, "discovery", "diff")
	diff.AwaitOutput("no difference: ")
}

// announcedTopics returns the topics of all announcements that were not removed, below any prefix.
func announcedTopics(messages *testbed.MessageLog) (topics []string) {
	for topic, payload := range messages.Last() {
		if strings.HasSuffix(topic, "/config") && payload != "" {
			topics = append(topics, topic)
		}
	}
	return topics
}

// twoMeters is a configuration file in which $URL, $HOUSE and $BARN must be replaced.
const twoMeters = `
mqtt: { url: "$URL" }
publish: realtime
meters:
  - { id: house, port: "$HOUSE", serial: 115200 8N1 }
  - { id: barn, port: "$BARN", serial: 115200 8N1 }
`

// configFile writes a configuration file and returns its path. replacements are pairs of a text and its replacement.
func configFile(t *testing.T, text string, replacements ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(strings.NewReplacer(replacements...).Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// testTwoMeters tests two meters. If the port of one meter is missing or vanishes, the bridge must publish the other meter as before.
func testTwoMeters(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "aidon-se")
	barn.Unplug()
	messages := broker.LogMessages()
	url := strings.TrimPrefix(broker.URLVariable(), "HANBRIDGE_MQTT_URL=")
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Path, "$BARN", barn.Path)
	run := testbed.Hanbridge(t, nil, "run", "--config", file)
	run.AwaitOutput("no such port")
	published := func(meter string) func() bool {
		return func() bool { return messages.Last()["hanbridge/"+meter+"/import_energy"] != "" }
	}
	house.SendUntil(300*time.Millisecond, "values of the house", published("house"))
	messages.AwaitMessage("hanbridge/barn/status", "offline")
	messages.AwaitMessage("hanbridge/house/status", "online")

	barn.Plug()
	barn.SendUntil(time.Second, "values of the barn", published("barn"))
	messages.AwaitMessage("hanbridge/barn/status", "online")
	for _, topic := range []string{"homeassistant/device/hanbridge_house/config", "homeassistant/device/hanbridge_barn/config"} {
		messages.AwaitMessage(topic)
	}
	house.Unplug()
	messages.Reset()
	barn.SendUntil(time.Second, "values of the barn without the house", published("barn"))
	if got, ok := messages.Last()["hanbridge/barn/status"]; ok {
		t.Errorf("after the port of the house vanished, the status of the barn was published: %s", got)
	}
	run.Stop(syscall.SIGTERM)
}

// testMeterRemoved removes a meter from the configuration. The bridge must delete all retained messages of this meter, but no
// retained message of the other meter.
func testMeterRemoved(t *testing.T) {
	broker, house, barn := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon"), testbed.PlugCable(t, "p1-se-kamstrup")
	url, state := strings.TrimPrefix(broker.URLVariable(), "HANBRIDGE_MQTT_URL="), []string{"HANBRIDGE_STATE_DIR=" + t.TempDir()}
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.Path, "$BARN", barn.Path)
	run := testbed.Hanbridge(t, state, "run", "--config", file)
	run.AwaitOutput("mqtt connected")
	messages := broker.LogMessages()
	bothOnline := func() bool {
		payloads, announcements := messages.Last(), len(announcedTopics(messages))
		return payloads["hanbridge/house/status"] == "online" && payloads["hanbridge/barn/status"] == "online" && announcements == 3 // two meters and the bridge
	}
	barn.SendUntil(time.Second, "both meters", func() bool { house.Send(); <-time.After(300 * time.Millisecond); return bothOnline() })
	run.Stop(syscall.SIGTERM)

	onlyHouse := strings.Join(slices.DeleteFunc(strings.Split(twoMeters, "\n"), func(line string) bool { return strings.Contains(line, "barn") }), "\n")
	file = configFile(t, onlyHouse, "$URL", url, "$HOUSE", house.Path)
	run = testbed.Hanbridge(t, state, "run", "--config", file)
	run.AwaitOutput("removed from home assistant")
	house.SendUntil(300*time.Millisecond, "the house again", func() bool { return messages.Last()["hanbridge/house/status"] == "online" })
	run.Stop(syscall.SIGTERM)
	retained := broker.Retained()
	for topic := range retained {
		if strings.Contains(topic, "barn") {
			t.Errorf("%s is still retained", topic)
		}
	}
	if retained["homeassistant/device/hanbridge_house/config"] == "" || retained["hanbridge/house/import_energy"] == "" {
		t.Error("retained messages of the house were deleted too")
	}
}
