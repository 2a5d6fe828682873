//go:build linux

package program_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestProgram runs the program between a pseudo-terminal and a real Mosquitto.
func TestProgram(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"values of P1":          func(t *testing.T) { testValues(t, "p1-se-aidon") },
		"values of HDLC":        func(t *testing.T) { testValues(t, "aidon-se") },
		"crashes and births":    testCrashes,
		"port comes and goes":   testPort,
		"broker comes late":     testLateBroker,
		"broker refuses":        testRefusal,
		"network-attached":      testNetworkAttached,
		"simulated serial port": testSimulatedPort,
		"demo":                  testDemo,
		"demo at a broker":      testDemoAtBroker,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testCrashes kills the broker and the bridge, and starts a hub: everything comes back with no help.
func testCrashes(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	run := testbed.StartBridge(t, broker.URL(), cable.Variable())
	run.Await("port opened")
	cable.Send()
	ears.Hear("hanbridge/house/status", "online")
	ears.Hear("hanbridge/house/telegram")
	all := ears.Heard()
	delete(all, "hanbridge/house/telegram")

	ears.Forget()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"})
	hearsAll(ears, all) // 1 to 5 s after the hub's birth, so that not all bridges speak at once

	broker.Process.Kill()
	broker.Start()
	ears = broker.Listen()
	hearsAll(ears, all)
	kept := broker.Kept()
	if diff := cmp.Diff(all, kept); diff != "" {
		t.Errorf("retained after the restart (-before +after):\n%s", diff)
	}
	run.SaidOnce("closed the connection")

	run.Kill()
	ears.Hear("hanbridge/status", "offline") // the will
	ears.Forget()
	again := testbed.StartBridge(t, broker.URL(), cable.Variable())
	again.Await("port opened")
	ears.Hear("hanbridge/status", "online")
	cable.Send()
	ears.Hear("hanbridge/house/status", "online")
}

func hearsAll(ears *testbed.Listener, topics map[string]string) {
	for topic := range topics {
		ears.Hear(topic)
	}
}

// testPort has no port at first, then one that vanishes and returns, then a meter that falls silent.
func testPort(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	cable.Unplug()
	run := testbed.StartBridge(t, broker.URL(), cable.Variable())
	run.Await("no such port (is the cable plugged in? ls /dev/serial/by-id shows the ports")
	ears.Hear("hanbridge/house/status", "offline")
	isHeard := func() bool { return ears.Heard()["hanbridge/house/import_energy"] != "" }

	cable.Plug()
	cable.SendUntil(time.Second, "values from the port that appeared", isHeard)
	cable.Unplug()
	ears.Forget()
	testbed.Until(t, "the loss of the port is said", func() bool { return strings.Count(run.Said(), "no such port") == 2 })
	cable.Plug()
	cable.SendUntil(time.Second, "values after the port returned", isHeard)

	// Five telegrams a second count as one: the shortest interval that is learned.
	end := time.Now().Add(3 * time.Second)
	cable.SendUntil(200*time.Millisecond, "an interval is learned", func() bool { return time.Now().After(end) })
	silent := time.Now()
	ears.Forget()
	ears.Hear("hanbridge/house/status", "offline")
	if after := time.Since(silent); after < 5*time.Second {
		t.Errorf("the meter is offline after %v of silence, want six intervals of 1 s", after)
	}
	run.SaidOnce("meter is silent")
	cable.SendUntil(time.Second, "the meter is online again", func() bool {
		return ears.Heard()["hanbridge/house/status"] == "online"
	})
	run.End(syscall.SIGINT)
}

// testLateBroker starts the bridge before the broker.
func testLateBroker(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	broker.Process.Kill()
	run := testbed.StartBridge(t, broker.URL(), cable.Variable())
	run.Await("port opened")
	cable.Send()
	run.Await("nobody listens on 127.0.0.1:" + broker.Port + " (is the broker running?)")
	<-time.After(2 * time.Second) // in which it tries more than once
	run.SaidOnce("nobody listens")
	broker.Start()
	ears := broker.Listen()
	ears.Hear("hanbridge/status", "online")
	ears.Hear("hanbridge/house/import_energy", "40140.615")
	run.SaidOnce("mqtt connected")
	run.End(syscall.SIGTERM)
}

// testRefusal has the wrong password, then the right one. It is never shown.
func testRefusal(t *testing.T) {
	passwords := testbed.Passwords(t, "right", "anna")
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous false", "password_file "+passwords), testbed.PlugCable(t, "aidon-se")
	login := func(password string) []string {
		return []string{broker.URL(), cable.Variable(), "HANBRIDGE_LOG_LEVEL=debug",
			"HANBRIDGE_MQTT_USERNAME=anna", "HANBRIDGE_MQTT_PASSWORD=" + password}
	}
	nobody := testbed.StartBridge(t, broker.URL(), cable.Variable())
	nobody.Await("wants a user name and password (set mqtt.username and mqtt.password)")
	nobody.End(syscall.SIGTERM)

	wrong := testbed.StartBridge(t, login("wrong-secret")...)
	wrong.Await(`(is the password right, may this user connect?)`)
	<-time.After(time.Second) // the password may be mended at the broker
	wrong.SaidOnce("refuses user")
	wrong.End(syscall.SIGTERM)

	right := testbed.StartBridge(t, login("right")...)
	right.Await("mqtt connected")
	right.End(syscall.SIGTERM)
	for _, run := range []*testbed.Process{wrong, right} {
		if said := run.Said(); strings.Contains(said, "wrong-secret") || strings.Contains(said, `"right"`) {
			t.Errorf("the password is in what it said:\n%s", said)
		}
	}
}
