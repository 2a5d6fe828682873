//go:build linux

// Package program_test tests the bridge between a meter and a broker. The tests also kill, restart or remove the bridge, the meter or the
// broker.
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
	// If nohup runs the tests, this process and the programs that it starts ignore SIGHUP. After Notify they do not ignore SIGHUP.
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	testbed.Main(m)
}

// TestProgram tests the program with a meter and a broker. In most subtests the meter is at a pseudo-terminal, and the broker is a Mosquitto.
func TestProgram(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"values of P1":          func(t *testing.T) { testValues(t, "p1-se-aidon") },
		"values of HDLC":        func(t *testing.T) { testValues(t, "aidon-se") },
		"crashes":               testCrashes,
		"port vanishes":         testPortVanishes,
		"broker starts late":    testBrokerStartsLate,
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

// testCrashes tests three restarts. After the restart of a hub and of the broker, the bridge must publish everything again. After the
// restart of the bridge, the meter must be online again.
func testCrashes(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
	messages.AwaitMessage("hanbridge/house/telegram")
	all := messages.Last()
	delete(all, "hanbridge/house/telegram") // the only topic that is not published again

	messages.Reset()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"}) // a hub that has started
	awaitTopics(messages, all)

	broker.Process.Kill()
	broker.Start()
	messages = broker.LogMessages()
	awaitTopics(messages, all)
	retained := broker.Retained()
	if diff := cmp.Diff(all, retained); diff != "" {
		t.Errorf("retained after the restart (-before +after):\n%s", diff)
	}
	run.RequireOutputOnce("closed the connection")

	run.Kill()
	messages.AwaitMessage("hanbridge/status", "offline") // the will of the killed bridge
	messages.Reset()
	restarted := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	restarted.AwaitOutput("port opened")
	messages.AwaitMessage("hanbridge/status", "online")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
}

// awaitTopics waits until every topic is published.
func awaitTopics(messages *testbed.MessageLog, topics map[string]string) {
	for topic := range topics {
		messages.AwaitMessage(topic)
	}
}

// testPortVanishes tests a port that is missing at the start, appears, vanishes and returns. Then the meter stops sending.
func testPortVanishes(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	cable.Unplug()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("no such port (is the cable plugged in? ls /dev/serial/by-id shows the ports")
	messages.AwaitMessage("hanbridge/house/status", "offline")
	published := func() bool { return messages.Last()["hanbridge/house/import_energy"] != "" }

	cable.Plug()
	cable.SendUntil(time.Second, "values from the port that appeared", published)
	cable.Unplug()
	messages.Reset()
	testbed.Until(t, "a second log line about the missing port", func() bool { return strings.Count(run.Output(), "no such port") == 2 })
	cable.Plug()
	cable.SendUntil(time.Second, "values after the port returned", published)

	// The bridge learns the interval of the telegrams, but assumes at least 1 s.
	deadline := time.Now().Add(3 * time.Second)
	cable.SendUntil(200*time.Millisecond, "telegrams for 3 s", func() bool { return time.Now().After(deadline) })
	silentSince := time.Now()
	messages.Reset()
	messages.AwaitMessage("hanbridge/house/status", "offline")
	if silence := time.Since(silentSince); silence < 5*time.Second { // a second less than six intervals, because the last interval can have begun before silentSince
		t.Errorf("the meter is offline after %v of silence, want six intervals of 1 s", silence)
	}
	run.RequireOutputOnce("meter is silent")
	cable.SendUntil(time.Second, "the meter is online again", func() bool {
		return messages.Last()["hanbridge/house/status"] == "online"
	})
	run.Stop(syscall.SIGINT)
}

// testBrokerStartsLate tests a bridge that starts before its broker.
func testBrokerStartsLate(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	broker.Process.Kill()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	run.AwaitOutput("port opened")
	cable.Send()
	run.AwaitOutput("nobody listens on 127.0.0.1:" + broker.Port + " (is the broker running?)")
	<-time.After(2 * time.Second) // in which the bridge tries to connect several times
	run.RequireOutputOnce("nobody listens")
	broker.Start()
	messages := broker.LogMessages()
	messages.AwaitMessage("hanbridge/status", "online")
	messages.AwaitMessage("hanbridge/house/import_energy", "40140.615")
	run.RequireOutputOnce("mqtt connected")
	run.Stop(syscall.SIGTERM)
}

// testRefusal tests a bridge without a password, with a wrong password, and with the right password. The output must not contain the password.
func testRefusal(t *testing.T) {
	passwords := testbed.Passwords(t, "right", "anna")
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous false", "password_file "+passwords), testbed.PlugCable(t, "aidon-se")
	login := func(password string) []string {
		return []string{broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_LOG_LEVEL=debug",
			"HANBRIDGE_MQTT_USERNAME=anna", "HANBRIDGE_MQTT_PASSWORD=" + password}
	}
	anonymous := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable())
	anonymous.AwaitOutput("wants a user name and password (set mqtt.username and mqtt.password)")
	anonymous.Stop(syscall.SIGTERM)

	wrong := testbed.StartBridge(t, login("wrong-secret")...)
	wrong.AwaitOutput(`(is the password right, and is this user allowed to connect?)`)
	<-time.After(time.Second) // in which the bridge tries to log in again
	wrong.RequireOutputOnce("refuses user")
	wrong.Stop(syscall.SIGTERM)

	right := testbed.StartBridge(t, login("right")...)
	right.AwaitOutput("mqtt connected")
	right.Stop(syscall.SIGTERM)
	for _, run := range []*testbed.Process{wrong, right} {
		if output := run.Output(); strings.Contains(output, "wrong-secret") || strings.Contains(output, `"right"`) { // in quotes, because right is also a word
			t.Errorf("the output contains the password:\n%s", output)
		}
	}
}
