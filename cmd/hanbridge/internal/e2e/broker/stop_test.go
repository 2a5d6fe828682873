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

// TestStops stops the program while it works. Its last messages must arrive; if the broker hangs, it must end all the same.
func TestStops(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	open, ws := "allow_anonymous true", "protocol websockets"
	tls := append(ca.issues("127.0.0.1", time.Now().Add(time.Hour)).serves(), open)
	plain, secure := access{scheme: "mqtt", lines: []string{open}}, access{scheme: "mqtts", lines: tls, variables: []string{ca.trusts()}}
	socket := access{scheme: "wss", lines: append(tls, ws), variables: []string{ca.trusts()}}
	for name, test := range map[string]func(*testing.T){
		"mqtt":                func(t *testing.T) { testSigterm(t, plain) },
		"wss":                 func(t *testing.T) { testSigterm(t, socket) },
		"mqtts, broker hangs": func(t *testing.T) { testHangs(t, secure) },
		"wss, broker hangs":   func(t *testing.T) { testHangs(t, socket) },
		"mqtts, at most once": func(t *testing.T) { testAtMostOnce(t, secure) },
		"wss, at most once":   func(t *testing.T) { testAtMostOnce(t, socket) },
		"values not retained": func(t *testing.T) { testNotRetained(t) },
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

// testSigterm stops a busy bridge. All telegrams that it has read must have been published.
func testSigterm(t *testing.T, d access) {
	broker := startedGuarded(t, d.lines...)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "p1-se-aidon", "--speed", "100") // ten telegrams a second
	run := testbed.StartBridge(t, append(d.variables, broker.to(d.scheme), "HANBRIDGE_METER_PORT="+port)...)
	testbed.Until(t, "some telegrams", func() bool { return strings.Count(messages.Text(), "\nhanbridge/house/telegram {") > 5 })
	run.Stop(syscall.SIGTERM)
	checkStopped(t, broker.Mosquitto, messages)
}

// testHangs stops a bridge whose broker is connected but does not answer any more.
func testHangs(t *testing.T, d access) {
	broker := startedGuarded(t, d.lines...)
	messages := broker.LogMessages()
	_, port := testbed.Simulate(t, "--family", "p1-se-aidon", "--speed", "100")
	run := testbed.StartBridge(t, append(d.variables, broker.to(d.scheme), "HANBRIDGE_METER_PORT="+port)...)
	messages.AwaitMessage("hanbridge/house/status", "online")
	if err := broker.Process.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second) // in which some telegrams are read
	run.Stop(syscall.SIGTERM)
	run.RequireOutputOnce("last values not delivered")
}

// testAtMostOnce replays a file with QoS 0. Although no message is acknowledged, the last telegram must be published.
func testAtMostOnce(t *testing.T, d access) {
	broker := startedGuarded(t, d.lines...)
	messages := broker.LogMessages()
	const telegrams = 20
	simulated := testbed.Hanbridge(t, nil, "simulate", "--count", fmt.Sprint(telegrams))
	simulated.RequireSuccess()
	file := t.TempDir() + "/telegrams"
	if err := os.WriteFile(file, []byte(simulated.Output()), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := []string{broker.to(d.scheme), "HANBRIDGE_METER_PORT=replay:" + file, "HANBRIDGE_MQTT_QOS=0"}
	run := testbed.StartBridge(t, slices.Concat(d.variables, variables)...)
	run.RequireSuccess()
	messages.AwaitMessage("hanbridge/status", "offline")
	if got := messages.Last()["hanbridge/house/telegrams"]; got != fmt.Sprint(telegrams) {
		t.Errorf("telegrams: got %s, want %d", got, telegrams)
	}
	checkStopped(t, broker.Mosquitto, messages)
	if acknowledged := regexp.MustCompile(`Received PUBLISH from hanbridge-\S+ \(d0, q1`).FindAllString(broker.Process.Output(), -1); len(acknowledged) > 0 {
		t.Errorf("%d messages of the bridge wanted to be acknowledged, want none", len(acknowledged))
	}
}

// testNotRetained tests mqtt.retain: false. No value is retained; descriptions and status are.
func testNotRetained(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_MQTT_RETAIN=false")
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/telegram")
	messages.AwaitMessage("hanbridge/house/status", "online")
	kept := broker.Retained()
	for name := range testbed.FirstTelegram(t, "p1-se-aidon") {
		if _, ok := messages.Last()["hanbridge/house/"+name]; !ok {
			t.Errorf("%s was not heard", name)
		}
		if got, ok := kept["hanbridge/house/"+name]; ok {
			t.Errorf("%s is retained: %s", name, got)
		}
	}
	for _, topic := range []string{"hanbridge/status", "hanbridge/house/status", "hanbridge/house/info", "homeassistant/device/hanbridge_house/config"} {
		if kept[topic] == "" {
			t.Errorf("%s is not retained", topic)
		}
	}
	run.Stop(syscall.SIGTERM)
}
