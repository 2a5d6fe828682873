//go:build linux

// Package broker_test tests the program with Mosquitto brokers that have passwords, certificates, access rules or limits. It also tests
// floods of messages, and two bridges at one broker.
package broker_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// testAccessRules requires that the access rules of deploy/mosquitto/acl.example allow everything that the program does. checkForbidden requires that
// the rules forbid other topics.
func testAccessRules(t *testing.T) {
	rules := filepath.Join(testbed.ModuleRoot, "deploy/mosquitto/acl.example")
	broker := startProtected(t, "allow_anonymous false", "password_file "+testbed.Passwords(t, secret, "hanbridge", "homeassistant"), "acl_file "+rules)
	cable := testbed.PlugCable(t, "p1-se-aidon")
	variables := []string{broker.protectedURL("mqtt"), cable.PortVariable(), "HANBRIDGE_METER_ID=house",
		"HANBRIDGE_MQTT_USERNAME=hanbridge", "HANBRIDGE_MQTT_PASSWORD=" + secret}
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	messages.AwaitMessage("hanbridge/house/status", "online")
	checkRetained(t, broker.Mosquitto, messages)
	testbed.Hanbridge(t, variables, "check").RequireSuccess()
	show := testbed.Hanbridge(t, variables, "discovery", "show")
	show.RequireSuccess()
	show.RequireOutputOnce("homeassistant/device/hanbridge_house/config")

	messages.Reset()
	broker.publishAs(t, "homeassistant", "homeassistant/status", "online") // the birth message of a hub
	messages.AwaitMessage("hanbridge/house/import_power")
	messages.AwaitMessage("homeassistant/device/hanbridge_house/config")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	run.Stop(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, messages)
	if output := broker.Process.Output(); strings.Contains(output, "Denied") {
		t.Errorf("the rules forbid what the program does:\n%s", output)
	}
	checkForbidden(t, broker, messages)
}

// checkForbidden requires that each user can publish only to the topics that the rules allow, and that the user hanbridge can read only those topics.
func checkForbidden(t *testing.T, broker *protectedBroker, messages *testbed.MessageLog) {
	t.Helper()
	messages.Reset()
	forbidden := map[string]string{ // the user, by topic
		"zigbee2mqtt/lamp/set": "hanbridge", "homeassistant/status": "hanbridge", "homeassistant/light/lamp/config": "hanbridge",
		"homeassistant/switch/a/b/config": "hanbridge", "hanbridge/house/import_power": "homeassistant", "other/topic": "homeassistant",
	}
	for topic, user := range forbidden {
		broker.publishAs(t, user, topic, "no")
	}
	broker.publishAs(t, "homeassistant", "homeassistant/sensor/a/b/config", "yes")
	broker.publishAs(t, "hanbridge", "hanbridge/cellar/status", "yes")
	messages.AwaitMessage("hanbridge/cellar/status", "yes")
	messages.AwaitMessage("homeassistant/sensor/a/b/config", "yes")
	for topic, payload := range messages.Last() {
		if user, ok := forbidden[topic]; ok {
			t.Errorf("user %s can publish to %s: the payload %q was delivered", user, topic, payload)
		}
	}
	broker.Publish(testbed.Message{Topic: "private/topic", Payload: "yes", Retained: true})
	retained := testbed.Connect(t, broker.protectedAddress, "hanbridge", secret).Retained("#")
	if _, readsPrivate := retained["private/topic"]; retained["hanbridge/status"] == "" || readsPrivate {
		t.Errorf("user hanbridge can read %v, want hanbridge/status and not private/topic", retained)
	}
}

// publishAs publishes a message as a user, and returns when the broker has processed the message.
func (b *protectedBroker) publishAs(t *testing.T, user, topic, payload string) {
	t.Helper()
	testbed.Connect(t, b.protectedAddress, user, secret).Publish(testbed.Message{Topic: topic, Payload: payload})
}
