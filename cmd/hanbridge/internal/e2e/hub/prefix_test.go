//go:build linux

package hub_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestPrefixes tests changes of homeassistant.prefix.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"there and back": testPrefixes,
		"crashes":        testPrefixCrash,
		"without memory": testPrefixWithoutMemory,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// prefixed starts a bridge with a prefix and waits until its meter is announced there, and nowhere else.
func prefixed(t *testing.T, broker *testbed.Mosquitto, cable *testbed.Cable, messages *testbed.MessageLog, prefix string, variables ...string) *testbed.Process {
	t.Helper()
	run := testbed.StartBridge(t, append(variables, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_HOMEASSISTANT_PREFIX="+prefix)...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "announced below "+prefix+" alone", func() bool {
		topics := allAnnounced(messages)
		for _, topic := range topics {
			if !strings.HasPrefix(topic, prefix+"/") {
				return false
			}
		}
		return len(topics) == 2
	})
	return run
}

// allAnnounced returns the topics of announcements that have not been taken back, below any prefix.
func allAnnounced(messages *testbed.MessageLog) (topics []string) {
	for topic, payload := range messages.Last() {
		if strings.HasSuffix(topic, "/config") && payload != "" {
			topics = append(topics, topic)
		}
	}
	return topics
}

// testPrefixes changes the prefix there and back, with a broker that is away in between, and then switches discovery off and on.
func testPrefixes(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "persistence true", "persistence_location "+t.TempDir()+"/"), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	for _, prefix := range []string{"homeassistant", "hubs/second", "homeassistant"} {
		prefixed(t, broker, cable, messages, prefix, state).Stop(syscall.SIGTERM)
	}
	off := "HANBRIDGE_HOMEASSISTANT_DISCOVERY=off"
	nowhere := testbed.StartBridge(t, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:"+testbed.FreePort(t), cable.PortVariable(), state, off, "HANBRIDGE_HOMEASSISTANT_PREFIX=third")
	nowhere.AwaitOutput("nobody listens on")
	nowhere.Stop(syscall.SIGTERM)
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, off)
	testbed.Until(t, "all announcements taken back", func() bool { return len(allAnnounced(messages)) == 0 })
	run.AwaitOutput("taken back: announced under another homeassistant.prefix, or before homeassistant.discovery was off")
	run.Stop(syscall.SIGTERM)
	prefixed(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	hub := heardBy(messages)
	if got := len(alive(hub, false)); got < 30 || len(hub.Warnings) > 0 {
		t.Errorf("the hub knows %d entities, and complains: %q", got, hub.Warnings)
	}
}

// testPrefixCrash kills the bridge at a few moments of a change of prefix, and configures it back.
func testPrefixCrash(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	prefixed(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	for _, moment := range []string{"homeassistant/device/hanbridge_bridge/config", "homeassistant/device/hanbridge_house/config", "hubs/second/device/hanbridge_bridge/config"} {
		moments := broker.LogMessages()
		moments.Reset()
		run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
		run.AwaitOutput("port opened")
		cable.Send()
		moments.AwaitMessage(moment)
		run.Kill()
		prefixed(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	}
}

// testPrefixWithoutMemory tests that discovery clear --prefix takes back what a bridge without state has left below the old prefix.
func testPrefixWithoutMemory(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	const off = "HANBRIDGE_STATE_DIR=off"
	prefixed(t, broker, cable, messages, "homeassistant", off).Stop(syscall.SIGTERM)
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), off, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "announced in the new place", func() bool { return messages.Last()["hubs/second/device/hanbridge_house/config"] != "" })
	variables := []string{broker.URLVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second"}
	clear := testbed.Hanbridge(t, variables, "discovery", "clear", "--prefix", "homeassistant")
	clear.RequireSuccess()
	clear.RequireOutputOnce("homeassistant/device/hanbridge_house/config\n")
	testbed.Until(t, "the old place is empty", func() bool { return len(allAnnounced(messages)) == 2 })
	run.Stop(syscall.SIGTERM)
	wrong := testbed.Hanbridge(t, variables, "discovery", "clear", "--prefix", "homeassistant/#")
	testbed.Until(t, "it ends", func() bool { return wrong.Ended() })
	wrong.RequireOutputOnce("--prefix: ")
	if code := wrong.Cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("a prefix with a wildcard: exit code %d, want 2", code)
	}
}
