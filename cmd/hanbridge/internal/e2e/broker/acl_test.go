//go:build linux

package broker_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// testAccessRules runs the program under the access rules that people copy, and tries what they forbid.
func testAccessRules(t *testing.T) {
	rules := filepath.Join(testbed.Top, "deploy/mosquitto/acl.example")
	broker := startedGuarded(t, "allow_anonymous false", "password_file "+testbed.Passwords(t, secret, "hanbridge", "homeassistant"), "acl_file "+rules)
	cable := testbed.PlugCable(t, "p1-se-aidon")
	variables := []string{broker.to("mqtt"), cable.Variable(), "HANBRIDGE_METER_ID=house",
		"HANBRIDGE_MQTT_USERNAME=hanbridge", "HANBRIDGE_MQTT_PASSWORD=" + secret}
	ears := broker.Listen()
	run := testbed.StartBridge(t, variables...)
	run.Await("port opened")
	cable.Send()
	ears.Hear("hanbridge/house/telegram")
	ears.Hear("hanbridge/house/status", "online")
	checkKept(t, broker.Mosquitto, ears)
	testbed.Hanbridge(t, variables, "check").EndsWell()
	show := testbed.Hanbridge(t, variables, "discovery", "show")
	show.EndsWell()
	show.SaidOnce("homeassistant/device/hanbridge_house/config")

	ears.Forget()
	broker.as(t, "homeassistant", "homeassistant/status", "online")
	ears.Hear("hanbridge/house/import_power")
	ears.Hear("homeassistant/device/hanbridge_house/config")
	cable.Send()
	ears.Hear("hanbridge/house/telegram")
	run.End(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, ears)
	if said := broker.Process.Said(); strings.Contains(said, "Denied") {
		t.Errorf("the rules forbid what the program does:\n%s", said)
	}
	checkForbidden(t, broker, ears)
}

// checkForbidden has either user publish what is not its own, and then what is.
func checkForbidden(t *testing.T, broker *guarded, ears *testbed.Listener) {
	t.Helper()
	ears.Forget()
	forbidden := map[string]string{
		"zigbee2mqtt/lamp/set": "hanbridge", "homeassistant/status": "hanbridge", "homeassistant/light/lamp/config": "hanbridge",
		"homeassistant/switch/a/b/config": "hanbridge", "hanbridge/house/import_power": "homeassistant", "other/topic": "homeassistant",
	}
	for topic, user := range forbidden {
		broker.as(t, user, topic, "no")
	}
	broker.as(t, "homeassistant", "homeassistant/sensor/a/b/config", "yes")
	broker.as(t, "hanbridge", "hanbridge/cellar/status", "yes")
	ears.Hear("hanbridge/cellar/status", "yes")
	ears.Hear("homeassistant/sensor/a/b/config", "yes")
	for topic, payload := range ears.Heard() {
		if user, ok := forbidden[topic]; ok {
			t.Errorf("%s %s of user %s was let through", topic, payload, user)
		}
	}
	broker.Publish(testbed.Message{Topic: "private/topic", Payload: "yes", Retained: true})
	kept := testbed.Connect(t, broker.at, "hanbridge", secret).Kept("#")
	if _, private := kept["private/topic"]; kept["hanbridge/status"] == "" || private {
		t.Errorf("user hanbridge may read %v: want its own topics and announcements alone", kept)
	}
}

// as publishes as a user, and returns when the broker has decided on it.
func (g *guarded) as(t *testing.T, user, topic, payload string) {
	t.Helper()
	testbed.Connect(t, g.at, user, secret).Publish(testbed.Message{Topic: topic, Payload: payload})
}
