//go:build linux

package broker_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestStop tests that a bridge delivers its last messages when it is stopped. The bridge must also end if the broker does not answer.
func TestStop(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	anonymousLine, wsLine := "allow_anonymous true", "protocol websockets"
	tlsLines := append(ca.issue("127.0.0.1", time.Now().Add(time.Hour)).listenerLines(), anonymousLine)
	mqtt := setup{scheme: "mqtt", listenerLines: []string{anonymousLine}}
	mqtts := setup{scheme: "mqtts", listenerLines: tlsLines, variables: []string{ca.caVariable()}}
	wss := setup{scheme: "wss", listenerLines: append(tlsLines, wsLine), variables: []string{ca.caVariable()}}
	for name, test := range map[string]func(*testing.T){
		"mqtt":                func(t *testing.T) { testSigterm(t, mqtt) },
		"wss":                 func(t *testing.T) { testSigterm(t, wss) },
		"mqtts, broker hangs": func(t *testing.T) { testBrokerHangs(t, mqtts) },
		"wss, broker hangs":   func(t *testing.T) { testBrokerHangs(t, wss) },
		"mqtts, QoS 0":        func(t *testing.T) { testQoS0(t, mqtts) },
		"wss, QoS 0":          func(t *testing.T) { testQoS0(t, wss) },
		"values not retained": testNotRetained,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

// testSigterm stops a bridge that publishes ten telegrams a second. All values of the last telegram must be published.
func testSigterm(t *testing.T, s setup) {
	broker := startProtected(t, s.listenerLines...)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "p1-se-aidon", "--speed", "100")
	run := testbed.StartBridge(t, append(s.variables, broker.protectedURL(s.scheme), "HANBRIDGE_METER_PORT="+port)...)
	testbed.Until(t, "some telegrams", func() bool { return strings.Count(messages.Text(), "\nhanbridge/house/telegram {") > 5 })
	run.Stop(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, messages)
}

// testBrokerHangs stops a bridge whose broker is connected, but no longer answers. The log must say that values were not delivered.
func testBrokerHangs(t *testing.T, s setup) {
	broker := startProtected(t, s.listenerLines...)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "p1-se-aidon", "--speed", "100")
	run := testbed.StartBridge(t, append(s.variables, broker.protectedURL(s.scheme), "HANBRIDGE_METER_PORT="+port)...)
	messages.AwaitMessage("hanbridge/house/status", "online")
	if err := broker.Process.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second) // in which the bridge reads some telegrams
	run.Stop(syscall.SIGTERM)
	run.RequireOutputOnce("last values not delivered")
}

// testQoS0 replays a file with QoS 0. Although no message is acknowledged, the last telegram must be published.
func testQoS0(t *testing.T, s setup) {
	broker := startProtected(t, s.listenerLines...)
	messages := broker.LogMessages()
	const telegrams = 20
	simulated := testbed.Hanbridge(t, nil, "simulate", "--count", fmt.Sprint(telegrams))
	simulated.RequireSuccess()
	file := t.TempDir() + "/telegrams"
	if err := os.WriteFile(file, []byte(simulated.Output()), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := []string{broker.protectedURL(s.scheme), "HANBRIDGE_METER_PORT=replay:" + file, "HANBRIDGE_MQTT_QOS=0"}
	run := testbed.StartBridge(t, slices.Concat(s.variables, variables)...)
	run.RequireSuccess()
	messages.AwaitMessage("hanbridge/status", "offline")
	if got := messages.Last()["hanbridge/house/telegrams"]; got != fmt.Sprint(telegrams) {
		t.Errorf("telegrams: got %s, want %d", got, telegrams)
	}
	checkStopped(t, broker.Mosquitto, messages)
	// Mosquitto logs "(d0, q1, …" for a message with DUP 0 and QoS 1.
	if withQoS1 := regexp.MustCompile(`Received PUBLISH from hanbridge-\S+ \(d0, q1`).FindAllString(broker.Process.Output(), -1); len(withQoS1) > 0 {
		t.Errorf("%d messages of the bridge have QoS 1, want none", len(withQoS1))
	}
}

// testNotRetained tests the setting mqtt.retain: false. The broker must retain status, info and announcement, but no values.
func testNotRetained(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_MQTT_RETAIN=false")
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	messages.AwaitMessage("hanbridge/house/status", "online")
	retained := broker.Retained()
	for name := range testbed.FirstTelegram(t, "p1-se-aidon") {
		if _, ok := messages.Last()["hanbridge/house/"+name]; !ok {
			t.Errorf("%s was not published", name)
		}
		if got, ok := retained["hanbridge/house/"+name]; ok {
			t.Errorf("%s is retained: %s", name, got)
		}
	}
	for _, topic := range []string{"hanbridge/status", "hanbridge/house/status", "hanbridge/house/info", "homeassistant/device/hanbridge_house/config"} {
		if retained[topic] == "" {
			t.Errorf("%s is not retained", topic)
		}
	}
	run.Stop(syscall.SIGTERM)
}
