//go:build linux

package broker_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestTwoBridges tests two bridges at one Mosquitto, with and without a conflict.
func TestTwoBridges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"one name":              testOneName,
		"two configurations":    testTwoConfigurations,
		"a broker that is gone": testRestarts,
		"one that stops":        testSecondStops,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

const (
	conflictLogged = "another program most likely connects to"
	noMeter        = "HANBRIDGE_METER_PORT=tcp://127.0.0.1:1"
)

// testOneName tests two bridges with one client id. Each logs the conflict once, and the logs stay short.
func testOneName(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	name := "HANBRIDGE_MQTT_CLIENT_ID=cellar"
	one := testbed.StartBridge(t, broker.URLVariable(), noMeter, name)
	one.AwaitOutput("mqtt connected")
	two := testbed.StartBridge(t, broker.URLVariable(), noMeter, name, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	for _, run := range []*testbed.Process{one, two} {
		run.AwaitOutput(conflictLogged + " 127.0.0.1:" + broker.Port + ` as \"cellar\"`)
	}
	ended := func() int { return strings.Count(broker.Process.Output(), "closing old connection") }
	testbed.Until(t, "three connections that the broker ended", func() bool { return ended() >= 3 })
	<-time.After(4 * time.Second)
	for _, run := range []*testbed.Process{one, two} {
		run.RequireOutputOnce(conflictLogged)
		run.RequireOutputOnce("Set another mqtt.client_id")
		if n := strings.Count(run.Output(), "\n"); n > 12 {
			t.Errorf("%d lines, want 12 at most:\n%s", n, run.Output())
		}
	}
	if n := ended(); n > 10 {
		t.Errorf("%d connections were ended by the broker, want 3 to 10: told soon, then slow", n)
	}
	two.Stop(syscall.SIGTERM)
	one.Stop(syscall.SIGTERM)
}

// testTwoConfigurations tests two configurations without a client id on one machine. Their ids differ, and stay the same after a restart.
func testTwoConfigurations(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	one := testbed.StartBridge(t, broker.URLVariable(), noMeter)
	two := testbed.StartBridge(t, broker.URLVariable(), noMeter, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	one.AwaitOutput("mqtt connected")
	two.AwaitOutput("mqtt connected")
	one.Stop(syscall.SIGTERM)
	again := testbed.StartBridge(t, broker.URLVariable(), noMeter)
	again.AwaitOutput("mqtt connected")
	ids := map[string]int{}
	testbed.Until(t, "three have connected", func() bool {
		clear(ids)
		for _, found := range regexp.MustCompile(` as (\S+) \(p`).FindAllStringSubmatch(broker.Process.Output(), -1) {
			ids[found[1]]++
		}
		return sum(ids) == 3
	})
	if len(ids) != 2 {
		t.Errorf("client ids: got %v, want two, one of them twice", ids)
	}
	for id := range ids {
		if !regexp.MustCompile(`^[0-9a-zA-Z-]{1,16}$`).MatchString(id) { // with what check puts behind it 23
			t.Errorf("client id %s: want 16 plain characters at most", id)
		}
	}
	if strings.Contains(two.Output(), "interrupted") {
		t.Error("the second was thrown out")
	}
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// testRestarts kills the broker twice in a short time. This must not be logged as a client-id conflict, and the log ends with the new connection.
func testRestarts(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	run := testbed.StartBridge(t, broker.URLVariable(), noMeter)
	run.AwaitOutput("mqtt connected")
	for range 2 {
		broker.Process.Kill()
		broker.Start()
		testbed.Until(t, "the bridge is back", func() bool { return broker.Retained()["hanbridge/status"] == "online" })
	}
	log := run.Output()
	if strings.Contains(log, conflictLogged) {
		t.Error("a restart is told as a clash")
	}
	if strings.LastIndex(log, "mqtt connected") < strings.LastIndex(log, "output interrupted") {
		t.Error("the end of an interruption is not told")
	}
	if up, down := strings.Count(log, "mqtt connected"), strings.Count(log, "output interrupted"); up < 2 || up > down+1 {
		t.Errorf("connected was said %d times, with %d interruptions", up, down)
	}
}

// testSecondStops tests two bridges with the same topics and different client ids. The one that stops publishes offline on the common
// status topic; the other then publishes online.
func testSecondStops(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_MQTT_CLIENT_ID=one")
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
	messages.Reset()
	second := testbed.StartBridge(t, broker.URLVariable(), noMeter, "HANBRIDGE_MQTT_CLIENT_ID=two")
	messages.AwaitMessage("hanbridge/status", "online")
	second.Stop(syscall.SIGTERM)
	messages.AwaitMessage("hanbridge/status", "offline")
	messages.AwaitMessage("hanbridge/status", "online")
	messages.AwaitMessage("hanbridge/house/status", "online")
	run.RequireOutputOnce("somebody else said that this bridge is offline")
}
