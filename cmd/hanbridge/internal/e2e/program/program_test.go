//go:build linux

// Package program_test tests the bridge between a meter and a broker, each of which may be killed, restarted or missing.
package program_test

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) { // by nohup, and so it would be in the programs that are started here
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testbed.Main(m)
}

// TestProgram tests the program between a pseudo-terminal and a Mosquitto.
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

// testCrashes kills the broker and the bridge, and sends a hub's birth message. All messages must be published again each time.
func testCrashes(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
	messages.AwaitMessage("hanbridge/house/telegram")
	all := messages.Last()
	delete(all, "hanbridge/house/telegram")

	messages.Reset()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"})
	hearsAll(messages, all) // 1 to 5 s after the hub's birth, so that not all bridges speak at once

	broker.Process.Kill()
	broker.Start()
	messages = broker.LogMessages()
	hearsAll(messages, all)
	kept := broker.Retained()
	if diff := cmp.Diff(all, kept); diff != "" {
		t.Errorf("retained after the restart (-before +after):\n%s", diff)
	}
	run.RequireOutputOnce("closed the connection")

	run.Kill()
	messages.AwaitMessage("hanbridge/status", "offline") // the will
	messages.Reset()
	again := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	again.AwaitOutput("port opened")
	messages.AwaitMessage("hanbridge/status", "online")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
}

func hearsAll(messages *testbed.MessageLog, topics map[string]string) {
	for topic := range topics {
		messages.AwaitMessage(topic)
	}
}

// testPort tests a port that is missing at first, one that vanishes and returns, and then a meter that stops sending.
func testPort(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	cable.Unplug()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("no such port (is the cable plugged in? ls /dev/serial/by-id shows the ports")
	messages.AwaitMessage("hanbridge/house/status", "offline")
	isHeard := func() bool { return messages.Last()["hanbridge/house/import_energy"] != "" }

	cable.Plug()
	cable.SendUntil(time.Second, "values from the port that appeared", isHeard)
	cable.Unplug()
	messages.Reset()
	testbed.Until(t, "the loss of the port is said", func() bool { return strings.Count(run.Output(), "no such port") == 2 })
	cable.Plug()
	cable.SendUntil(time.Second, "values after the port returned", isHeard)

	// Five telegrams a second count as one: the shortest interval that is learned.
	end := time.Now().Add(3 * time.Second)
	cable.SendUntil(200*time.Millisecond, "an interval is learned", func() bool { return time.Now().After(end) })
	silent := time.Now()
	messages.Reset()
	messages.AwaitMessage("hanbridge/house/status", "offline")
	if after := time.Since(silent); after < 5*time.Second {
		t.Errorf("the meter is offline after %v of silence, want six intervals of 1 s", after)
	}
	run.RequireOutputOnce("meter is silent")
	cable.SendUntil(time.Second, "the meter is online again", func() bool {
		return messages.Last()["hanbridge/house/status"] == "online"
	})
	run.Stop(syscall.SIGINT)
}

// testLateBroker tests a bridge that starts before its broker.
func testLateBroker(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	broker.Process.Kill()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	cable.Send()
	run.AwaitOutput("nobody listens on 127.0.0.1:" + broker.Port + " (is the broker running?)")
	<-time.After(2 * time.Second) // in which it tries more than once
	run.RequireOutputOnce("nobody listens")
	broker.Start()
	messages := broker.LogMessages()
	messages.AwaitMessage("hanbridge/status", "online")
	messages.AwaitMessage("hanbridge/house/import_energy", "40140.615")
	run.RequireOutputOnce("mqtt connected")
	run.Stop(syscall.SIGTERM)
}

// testRefusal tests a wrong password and then the right one. Neither may be in the output.
func testRefusal(t *testing.T) {
	passwords := testbed.Passwords(t, "right", "anna")
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous false", "password_file "+passwords), testbed.PlugCable(t, "aidon-se")
	login := func(password string) []string {
		return []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_LOG_LEVEL=debug",
			"HANBRIDGE_MQTT_USERNAME=anna", "HANBRIDGE_MQTT_PASSWORD=" + password}
	}
	nobody := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	nobody.AwaitOutput("wants a user name and password (set mqtt.username and mqtt.password)")
	nobody.Stop(syscall.SIGTERM)

	wrong := testbed.StartBridge(t, login("wrong-secret")...)
	wrong.AwaitOutput(`(is the password right, may this user connect?)`)
	<-time.After(time.Second) // the password may be mended at the broker
	wrong.RequireOutputOnce("refuses user")
	wrong.Stop(syscall.SIGTERM)

	right := testbed.StartBridge(t, login("right")...)
	right.AwaitOutput("mqtt connected")
	right.Stop(syscall.SIGTERM)
	for _, run := range []*testbed.Process{wrong, right} {
		if output := run.Output(); strings.Contains(output, "wrong-secret") || strings.Contains(output, `"right"`) {
			t.Errorf("the password is in what it said:\n%s", output)
		}
	}
}
