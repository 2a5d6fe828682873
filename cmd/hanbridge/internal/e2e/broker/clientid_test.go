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

// TestTwoBridges tests two bridges at one Mosquitto. Two bridges must log a conflict only if they have the same client id.
func TestTwoBridges(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"same client id":       testSameClientID,
		"generated client ids": testGeneratedClientIDs,
		"broker restarts":      testBrokerRestarts,
		"second bridge stops":  testSecondStops,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// conflictLogged is the beginning of the log message about a client-id conflict.
const conflictLogged = "another program most likely connects to"

// unreachableMeter is the environment variable for a meter at an address where no server listens.
const unreachableMeter = "HANBRIDGE_METER_PORT=tcp://127.0.0.1:1"

// testSameClientID tests two bridges with the same client id. Each bridge must log the conflict once, and then reconnect only after a pause.
func testSameClientID(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	clientID := "HANBRIDGE_MQTT_CLIENT_ID=cellar"
	first := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter, clientID)
	first.AwaitOutput("mqtt connected")
	second := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter, clientID, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	for _, run := range []*testbed.Process{first, second} {
		run.AwaitOutput(conflictLogged + " 127.0.0.1:" + broker.Port + ` as \"cellar\"`)
	}
	endedConnections := func() int { return strings.Count(broker.Process.Output(), "closing old connection") }
	testbed.Until(t, "three connections that the broker ended", func() bool { return endedConnections() >= 3 })
	<-time.After(4 * time.Second) // bridges that reconnect without a pause would do so many times in 4 s
	for _, run := range []*testbed.Process{first, second} {
		run.RequireOutputOnce(conflictLogged)
		run.RequireOutputOnce("set another mqtt.client_id there")
		if n := strings.Count(run.Output(), "\n"); n > 12 {
			t.Errorf("log: got %d lines, want 12 at most:\n%s", n, run.Output())
		}
	}
	if n := endedConnections(); n > 10 {
		t.Errorf("the broker has ended %d connections, want 3 to 10", n)
	}
	second.Stop(syscall.SIGTERM)
	first.Stop(syscall.SIGTERM)
}

// testGeneratedClientIDs tests two bridges with different configurations and no configured client id. The generated ids must differ. A bridge
// must have the same id after a restart.
func testGeneratedClientIDs(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	first := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter)
	second := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	first.AwaitOutput("mqtt connected")
	second.AwaitOutput("mqtt connected")
	first.Stop(syscall.SIGTERM)
	restarted := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter)
	restarted.AwaitOutput("mqtt connected")
	ids := map[string]int{}
	testbed.Until(t, "three connections", func() bool {
		clear(ids)
		// Mosquitto logs "New client connected from 127.0.0.1:40000 as ID (p2, …".
		for _, found := range regexp.MustCompile(` as (\S+) \(p`).FindAllStringSubmatch(broker.Process.Output(), -1) {
			ids[found[1]]++
		}
		return sum(ids) == 3
	})
	if len(ids) != 2 {
		t.Errorf("client ids: got %v, want two different ids in three connections", ids)
	}
	// Brokers must accept ids of 23 characters (MQTT 3.1.1, 3.1.3.1). The command check appends up to 7 characters, so 16 remain.
	for id := range ids {
		if !regexp.MustCompile(`^[0-9a-zA-Z-]{1,16}$`).MatchString(id) {
			t.Errorf("client id %s: want at most 16 letters, digits and hyphens", id)
		}
	}
	if strings.Contains(second.Output(), "interrupted") {
		t.Error("the second bridge was disconnected")
	}
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// testBrokerRestarts kills and restarts the broker twice in a short time. The bridge must log the last connection, but no client-id conflict.
func testBrokerRestarts(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	run := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter)
	run.AwaitOutput("mqtt connected")
	for range 2 {
		broker.Process.Kill()
		broker.Start()
		testbed.Until(t, "the bridge is online again", func() bool { return broker.Retained()["hanbridge/status"] == "online" })
	}
	log := run.Output()
	if strings.Contains(log, conflictLogged) {
		t.Error("a restart of the broker is logged as a client-id conflict")
	}
	if strings.LastIndex(log, "mqtt connected") < strings.LastIndex(log, "output interrupted") {
		t.Error("the connection after the last interruption is not logged")
	}
	connections, interruptions := strings.Count(log, "mqtt connected"), strings.Count(log, "output interrupted")
	if connections < 2 || connections > interruptions+1 {
		t.Errorf("log: got %d connections and %d interruptions, want 2 or more connections, and an interruption before each connection except the first",
			connections, interruptions)
	}
}

// testSecondStops tests two bridges with the same topics and different client ids. When the second bridge stops, it publishes offline in the
// common status topic. The first bridge must then publish online.
func testSecondStops(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_MQTT_CLIENT_ID=first")
	run.AwaitOutput("port opened")
	cable.Send()
	messages.AwaitMessage("hanbridge/house/status", "online")
	messages.Reset()
	second := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter, "HANBRIDGE_MQTT_CLIENT_ID=second")
	messages.AwaitMessage("hanbridge/status", "online")
	second.Stop(syscall.SIGTERM)
	messages.AwaitMessage("hanbridge/status", "offline")
	messages.AwaitMessage("hanbridge/status", "online")
	messages.AwaitMessage("hanbridge/house/status", "online")
	run.RequireOutputOnce("another client published that this bridge is offline")
}
