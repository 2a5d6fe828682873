//go:build linux

package main_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestHubs runs the program beside a hub that knows what Home Assistant makes of its announcements.
func TestHubs(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"style changes":                  func(t *testing.T, hanbridge string) { testStyles(t, hanbridge, true) },
		"style changes without memory":   func(t *testing.T, hanbridge string) { testStyles(t, hanbridge, false) },
		"others announce very much":      testCrowd,
		"meter leaves":                   testLeaves,
		"one of two meters is not there": testTwoMeters,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

// heardBy is what a hub made of all that was announced so far.
func heardBy(ears *listener) *hatest.Hub {
	hub := hatest.NewHub("homeassistant")
	for line := range strings.Lines(ears.said()) {
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
func testStyles(t *testing.T, hanbridge string, remembers bool) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	state := "HANBRIDGE_STATE_DIR=off"
	if remembers {
		state = "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	}
	var before []hatest.Entity
	for i, style := range []string{"device", "component", "device"} {
		run := startRun(t, hanbridge, broker.url(), cable.variable(), state, "HANBRIDGE_HOMEASSISTANT_DISCOVERY="+style)
		run.awaits(10*time.Second, "port opened")
		settled := func() bool {
			kept := announcedTopics(ears)
			return len(kept) > 0 && !slices.ContainsFunc(kept, func(topic string) bool {
				return strings.Contains(topic, "/device/") != (style == "device")
			})
		}
		cable.sends(time.Second, 20*time.Second, "announced as "+style+" alone", settled)
		run.ends(syscall.SIGTERM, 5*time.Second)
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
func testCrowd(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	broker.crowd("homeassistant/sensor/lamp_%04d/power/config", 1500)
	ears := broker.listens()
	variables := []string{broker.url(), cable.variable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_DISCOVERY=component"}
	run := startRun(t, hanbridge, variables...)
	run.awaits(10*time.Second, "port opened")
	cable.sends(time.Second, 20*time.Second, "the house", func() bool { return ears.heard()["hanbridge/house/status"] == "online" })
	run.ends(syscall.SIGTERM, 5*time.Second)
	diff := launch(t, variables, hanbridge, "discovery", "diff")
	diff.awaits(20*time.Second, "no difference: ")
}

// crowd has the broker retain so many messages under topics with a number.
func (m *mosquitto) crowd(topics string, n int) {
	m.t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+m.port)
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	if _, err = conn.Write([]byte("\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05crowd")); err == nil {
		_, err = io.ReadFull(conn, make([]byte, 4)) // CONNACK
	}
	for i := range n {
		topic := fmt.Sprintf(topics, i)
		packet := append([]byte{0x33, byte(2 + len(topic) + 4), 0, byte(len(topic))}, topic+"\x00\x01{}"...) // quality 1, retained
		if err == nil {
			_, err = conn.Write(packet)
		}
	}
	if _, e := conn.Write([]byte{0xe0, 0}); err != nil || e != nil {
		m.t.Fatal(err, e)
	}
	_, _ = io.ReadAll(conn) // until the broker has read all, and closes
}

// announcedTopics are the discovery topics that hold something.
func announcedTopics(ears *listener) (all []string) {
	for topic, payload := range ears.heard() {
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
func testTwoMeters(t *testing.T, hanbridge string) {
	broker, house, barn := startedMosquitto(t), pluggedCable(t, "p1-se-aidon"), newCable(t, "aidon-se")
	ears := broker.listens()
	url := strings.TrimPrefix(broker.url(), "HANBRIDGE_MQTT_URL=")
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.name, "$BARN", barn.name)
	run := launch(t, nil, hanbridge, "run", "--config", file)
	run.awaits(10*time.Second, "no such port")
	hears := func(meter string) func() bool {
		return func() bool { return ears.heard()["hanbridge/"+meter+"/import_energy"] != "" }
	}
	house.sends(300*time.Millisecond, 10*time.Second, "values of the house", hears("house"))
	ears.hears(5*time.Second, "hanbridge/barn/status", "offline")
	ears.hears(5*time.Second, "hanbridge/house/status", "online")

	barn.plug()
	barn.sends(time.Second, 10*time.Second, "values of the barn", hears("barn"))
	ears.hears(5*time.Second, "hanbridge/barn/status", "online")
	for _, topic := range []string{"homeassistant/device/hanbridge_house/config", "homeassistant/device/hanbridge_barn/config"} {
		ears.hears(5*time.Second, topic)
	}
	house.unplug()
	ears.forget()
	barn.sends(time.Second, 10*time.Second, "values of the barn without the house", hears("barn"))
	if got, ok := ears.heard()["hanbridge/barn/status"]; ok {
		t.Errorf("the barn's status was told again, %s, when the house's port vanished", got)
	}
	run.ends(syscall.SIGTERM, 5*time.Second)
}

// testLeaves takes a meter out of the configuration: nothing of it stays on the broker, and all of the other.
func testLeaves(t *testing.T, hanbridge string) {
	broker, house, barn := startedMosquitto(t), pluggedCable(t, "p1-se-aidon"), pluggedCable(t, "p1-se-kamstrup")
	url, state := strings.TrimPrefix(broker.url(), "HANBRIDGE_MQTT_URL="), []string{"HANBRIDGE_STATE_DIR=" + t.TempDir()}
	file := configFile(t, twoMeters, "$URL", url, "$HOUSE", house.name, "$BARN", barn.name)
	run := launch(t, state, hanbridge, "run", "--config", file)
	run.awaits(10*time.Second, "mqtt connected")
	ears := broker.listens()
	both := func() bool {
		return ears.heard()["hanbridge/house/status"] == "online" && ears.heard()["hanbridge/barn/status"] == "online" && len(announcedTopics(ears)) == 3
	}
	barn.sends(time.Second, 10*time.Second, "both meters", func() bool { house.send(); wait(t, 300*time.Millisecond); return both() })
	run.ends(syscall.SIGTERM, 5*time.Second)

	alone := strings.Join(slices.DeleteFunc(strings.Split(twoMeters, "\n"), func(l string) bool { return strings.Contains(l, "barn") }), "\n")
	file = configFile(t, alone, "$URL", url, "$HOUSE", house.name)
	run = launch(t, state, hanbridge, "run", "--config", file)
	run.awaits(10*time.Second, "taken back from home assistant")
	house.sends(300*time.Millisecond, 10*time.Second, "the house again", func() bool { return ears.heard()["hanbridge/house/status"] == "online" })
	run.ends(syscall.SIGTERM, 5*time.Second)
	kept := broker.kept()
	for topic := range kept {
		if strings.Contains(topic, "barn") {
			t.Errorf("%s is still retained", topic)
		}
	}
	if kept["homeassistant/device/hanbridge_house/config"] == "" || kept["hanbridge/house/import_energy"] == "" {
		t.Error("the meter that stays is gone too")
	}
}
