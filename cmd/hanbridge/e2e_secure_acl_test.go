//go:build linux

package main_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testAccessRules runs the program under the access rules that people copy, and tries what they forbid.
func testAccessRules(t *testing.T, hanbridge string) {
	rules, err := filepath.Abs(top + "deploy/mosquitto/acl.example")
	if err != nil {
		t.Fatal(err)
	}
	broker := startedGuarded(t, "allow_anonymous false", "password_file "+passwordsOf(t, "hanbridge", "homeassistant"), "acl_file "+rules)
	cable := pluggedCable(t, "p1-se-aidon")
	variables := []string{broker.to("mqtt"), cable.variable(), "HANBRIDGE_METER_ID=house",
		"HANBRIDGE_MQTT_USERNAME=hanbridge", "HANBRIDGE_MQTT_PASSWORD=" + secret}
	ears := broker.listens()
	run := startRun(t, hanbridge, variables...)
	run.awaits(5*time.Second, "port opened")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/telegram")
	ears.hears(time.Second, "hanbridge/house/status", "online")
	checkKept(t, broker.mosquitto, ears)
	launch(t, variables, hanbridge, "check").endsWell(10 * time.Second)
	show := launch(t, variables, hanbridge, "discovery", "show")
	show.endsWell(10 * time.Second)
	show.saidOnce("homeassistant/device/hanbridge_house/config")

	ears.forget()
	broker.as("homeassistant", "homeassistant/status", "online")
	ears.hears(7*time.Second, "hanbridge/house/import_power")
	ears.hears(time.Second, "homeassistant/device/hanbridge_house/config")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/telegram")
	run.ends(syscall.SIGTERM, 4*time.Second)
	checkStopped(t, broker.mosquitto, ears)
	if said := broker.process.said(); strings.Contains(said, "Denied") {
		t.Errorf("the rules forbid what the program does:\n%s", said)
	}
	checkForbidden(t, broker, ears)
}

// checkForbidden has either user publish what is not its own, and then what is.
func checkForbidden(t *testing.T, broker *guarded, ears *listener) {
	t.Helper()
	ears.forget()
	forbidden := map[string]string{
		"zigbee2mqtt/lamp/set": "hanbridge", "homeassistant/status": "hanbridge", "homeassistant/light/lamp/config": "hanbridge",
		"homeassistant/switch/a/b/config": "hanbridge", "hanbridge/house/import_power": "homeassistant", "other/topic": "homeassistant",
	}
	for topic, user := range forbidden {
		broker.as(user, topic, "no")
	}
	broker.as("homeassistant", "homeassistant/sensor/a/b/config", "yes")
	broker.as("hanbridge", "hanbridge/cellar/status", "yes")
	ears.hears(5*time.Second, "hanbridge/cellar/status", "yes")
	ears.hears(5*time.Second, "homeassistant/sensor/a/b/config", "yes")
	for topic, payload := range ears.heard() {
		if user, ok := forbidden[topic]; ok {
			t.Errorf("%s %s of user %s was let through", topic, payload, user)
		}
	}
	sub := launch(t, nil, "mosquitto_sub", "-h", "127.0.0.1", "-p", broker.guardedPort(), "-u", "hanbridge", "-P", secret,
		"-t", "#", "-F", "%t", "--retained-only", "-W", "1")
	until(t, 5*time.Second, "all was listened to", func() bool { return ended(sub) })
	if said := sub.said(); !strings.Contains(said, "hanbridge/status\n") || strings.Contains(said, marker) {
		t.Errorf("user hanbridge may read\n%s\nwant its own topics and announcements alone", said)
	}
}

func (g *guarded) guardedPort() string { return strings.TrimPrefix(g.at, "127.0.0.1:") }

// as publishes as a user, and returns when the broker has decided on it.
func (g *guarded) as(user, topic, payload string) {
	g.t.Helper()
	launch(g.t, nil, "mosquitto_pub", "-h", "127.0.0.1", "-p", g.guardedPort(), "-u", user, "-P", secret, "-q", "1",
		"-t", topic, "-m", payload).endsWell(5 * time.Second)
}
