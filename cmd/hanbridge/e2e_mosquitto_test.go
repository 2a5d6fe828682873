//go:build linux

package main_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestProgram runs the program between a pseudo-terminal and a real Mosquitto.
func TestProgram(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"values of P1":          func(t *testing.T, hanbridge string) { testValues(t, hanbridge, "p1-se-aidon") },
		"values of HDLC":        func(t *testing.T, hanbridge string) { testValues(t, hanbridge, "aidon-se") },
		"crashes and births":    testCrashes,
		"port comes and goes":   testPort,
		"broker comes late":     testLateBroker,
		"broker refuses":        testRefusal,
		"network-attached":      testNetworkAttached,
		"simulated serial port": testSimulatedPort,
		"replay":                testReplay,
		"demo":                  testDemo,
		"demo at a broker":      testDemoAtBroker,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

// startRun starts the bridge for the meter "house", which publishes every telegram unless variables say otherwise.
func startRun(t *testing.T, hanbridge string, variables ...string) *process {
	t.Helper()
	return launch(t, slices.Concat([]string{"HANBRIDGE_PUBLISH=realtime", "HANBRIDGE_METER_ID=house"}, variables), hanbridge, "run")
}

// testCrashes kills the broker and the bridge, and starts a hub: everything comes back with no help.
func testCrashes(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable())
	run.awaits(5*time.Second, "port opened")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
	ears.hears(5*time.Second, "hanbridge/house/telegram")
	all := ears.heard()
	delete(all, "hanbridge/house/telegram")

	ears.forget()
	broker.say("homeassistant/status", "online")
	ears.hearsAll(7*time.Second, all) // 1 to 5 s after the hub's birth, so that not all bridges speak at once

	broker.process.kill()
	broker.start()
	ears = broker.listens()
	ears.hearsAll(15*time.Second, all)
	kept := broker.kept()
	delete(kept, marker)
	if diff := cmp.Diff(all, kept); diff != "" {
		t.Errorf("retained after the restart (-before +after):\n%s", diff)
	}
	run.saidOnce("closed the connection")

	run.kill()
	ears.hears(time.Second, "hanbridge/status", "offline") // the will
	ears.forget()
	again := startRun(t, hanbridge, broker.url(), cable.variable())
	again.awaits(5*time.Second, "port opened")
	ears.hears(5*time.Second, "hanbridge/status", "online")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
}

// testPort has no port at first, then one that vanishes and returns, then a meter that falls silent.
func testPort(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), newCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable())
	run.awaits(5*time.Second, "no such port (is the cable plugged in? ls /dev/serial/by-id shows the ports")
	ears.hears(5*time.Second, "hanbridge/house/status", "offline")
	isHeard := func() bool { return ears.heard()["hanbridge/house/import_energy"] != "" }

	cable.plug()
	cable.sends(time.Second, 6*time.Second, "values from the port that appeared", isHeard)
	cable.unplug()
	ears.forget()
	until(t, 5*time.Second, "the loss of the port is said", func() bool { return strings.Count(run.said(), "no such port") == 2 })
	cable.plug()
	cable.sends(time.Second, 5*time.Second, "values after the port returned", isHeard)

	// Five telegrams a second count as one: the shortest interval that is learned.
	end := time.Now().Add(3 * time.Second)
	cable.sends(200*time.Millisecond, 5*time.Second, "an interval is learned", func() bool { return time.Now().After(end) })
	silent := time.Now()
	ears.forget()
	ears.hears(8*time.Second, "hanbridge/house/status", "offline")
	if after := time.Since(silent); after < 5*time.Second {
		t.Errorf("the meter is offline after %v of silence, want six intervals of 1 s", after)
	}
	run.saidOnce("meter is silent")
	cable.sends(time.Second, 2*time.Second, "the meter is online again", func() bool {
		return ears.heard()["hanbridge/house/status"] == "online"
	})
	run.ends(syscall.SIGINT, 2*time.Second)
}

// testLateBroker starts the bridge before the broker.
func testLateBroker(t *testing.T, hanbridge string) {
	broker, cable := newMosquitto(t), pluggedCable(t, "p1-se-aidon")
	run := startRun(t, hanbridge, broker.url(), cable.variable())
	run.awaits(5*time.Second, "port opened")
	cable.send()
	run.awaits(5*time.Second, "nobody listens on 127.0.0.1:"+broker.port+" (is the broker running?)")
	run.staysUp(2 * time.Second) // in which it tries more than once
	run.saidOnce("nobody listens")
	broker.start()
	ears := broker.listens()
	ears.hears(10*time.Second, "hanbridge/status", "online")
	ears.hears(time.Second, "hanbridge/house/import_energy", "40140.615")
	run.saidOnce("mqtt connected")
	run.ends(syscall.SIGTERM, 2*time.Second)
}

// passwords is a file of mosquitto_passwd that lets in anna with the password "right".
func passwords(t *testing.T) string {
	t.Helper()
	name := t.TempDir() + "/passwords"
	file := launch(t, nil, "mosquitto_passwd", "-c", "-b", name, "anna", "right")
	file.endsWell(5 * time.Second)
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// testRefusal has the wrong password, then the right one. It is never shown.
func testRefusal(t *testing.T, hanbridge string) {
	needPeer(t, "mosquitto_passwd")
	broker, cable := startedMosquitto(t, "allow_anonymous false", "password_file "+passwords(t)), pluggedCable(t, "aidon-se")
	login := func(password string) []string {
		return []string{broker.url(), cable.variable(), "HANBRIDGE_LOG_LEVEL=debug",
			"HANBRIDGE_MQTT_USERNAME=anna", "HANBRIDGE_MQTT_PASSWORD=" + password}
	}
	nobody := startRun(t, hanbridge, broker.url(), cable.variable())
	nobody.awaits(5*time.Second, "wants a user name and password (set mqtt.username and mqtt.password)")
	nobody.ends(syscall.SIGTERM, 2*time.Second)

	wrong := startRun(t, hanbridge, login("wrong-secret")...)
	wrong.awaits(5*time.Second, `(is the password right, may this user connect?)`)
	wrong.staysUp(time.Second) // the password may be mended at the broker
	wrong.saidOnce("refuses user")
	wrong.ends(syscall.SIGTERM, 2*time.Second)

	right := startRun(t, hanbridge, login("right")...)
	right.awaits(5*time.Second, "mqtt connected")
	right.ends(syscall.SIGTERM, 2*time.Second)
	for _, run := range []*process{wrong, right} {
		if said := run.said(); strings.Contains(said, "wrong-secret") || strings.Contains(said, `"right"`) {
			t.Errorf("the password is in what it said:\n%s", said)
		}
	}
}
