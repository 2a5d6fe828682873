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

// TestPrefixes tests changes of the setting homeassistant.prefix. The announcements below the earlier prefix must be removed.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"changes":       testPrefixChanges,
		"crashes":       testPrefixCrash,
		"without state": testPrefixWithoutState,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// startWithPrefix starts a bridge with a prefix, and waits until meter and bridge are announced below this prefix and below no other.
func startWithPrefix(t *testing.T, broker *testbed.Mosquitto, cable *testbed.Cable, messages *testbed.MessageLog, prefix string, variables ...string) *testbed.Process {
	t.Helper()
	run := testbed.StartBridge(t, append(variables, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_HOMEASSISTANT_PREFIX="+prefix)...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "announced only below "+prefix, func() bool {
		topics := announcedTopics(messages)
		for _, topic := range topics {
			if !strings.HasPrefix(topic, prefix+"/") {
				return false
			}
		}
		return len(topics) == 2 // one of the meter and one of the bridge
	})
	return run
}

// testPrefixChanges changes the prefix and changes it back. Then it switches discovery off while no broker is reachable. When the
// bridge reaches the broker, it must remove the announcements. Then discovery is switched on again.
func testPrefixChanges(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "persistence true", "persistence_location "+t.TempDir()+"/"), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	for _, prefix := range []string{"homeassistant", "hubs/second", "homeassistant"} {
		startWithPrefix(t, broker, cable, messages, prefix, state).Stop(syscall.SIGTERM)
	}
	off := "HANBRIDGE_HOMEASSISTANT_DISCOVERY=off"
	unconnected := testbed.StartBridge(t, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:"+testbed.FreePort(t), cable.PortVariable(), state, off, "HANBRIDGE_HOMEASSISTANT_PREFIX=third")
	unconnected.AwaitOutput("nobody listens on")
	unconnected.Stop(syscall.SIGTERM)
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, off)
	testbed.Until(t, "all announcements removed", func() bool { return len(announcedTopics(messages)) == 0 })
	run.AwaitOutput("announcements removed: they were under another homeassistant.prefix, or homeassistant.discovery is off now")
	run.Stop(syscall.SIGTERM)
	startWithPrefix(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	hub := hubAfter(messages)
	if got := len(entities(hub)); got < 30 || len(hub.Warnings) > 0 {
		t.Errorf("the hub has %d entities and the warnings %q, want at least 30 entities and no warning", got, hub.Warnings)
	}
}

// testPrefixCrash kills the bridge at several moments while it moves its announcements to a new prefix. Then it starts the bridge with the
// earlier prefix.
func testPrefixCrash(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	startWithPrefix(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	killTopics := []string{ // the bridge is killed when it has published in this topic
		"homeassistant/device/hanbridge_bridge/config", "homeassistant/device/hanbridge_house/config", "hubs/second/device/hanbridge_bridge/config",
	}
	for _, killTopic := range killTopics {
		published := broker.LogMessages()
		published.Reset()
		run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), state, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
		run.AwaitOutput("port opened")
		cable.Send()
		published.AwaitMessage(killTopic)
		run.Kill()
		startWithPrefix(t, broker, cable, messages, "homeassistant", state).Stop(syscall.SIGTERM)
	}
}

// testPrefixWithoutState changes the prefix of a bridge without state, so that announcements below the earlier prefix remain. The command
// "discovery clear --prefix" must remove these announcements.
func testPrefixWithoutState(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	const off = "HANBRIDGE_STATE_DIR=off"
	startWithPrefix(t, broker, cable, messages, "homeassistant", off).Stop(syscall.SIGTERM)
	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), off, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "announced below the new prefix", func() bool { return messages.Last()["hubs/second/device/hanbridge_house/config"] != "" })
	variables := []string{broker.URLVariable(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second"}
	clearCommand := testbed.Hanbridge(t, variables, "discovery", "clear", "--prefix", "homeassistant")
	clearCommand.RequireSuccess()
	clearCommand.RequireOutputOnce("homeassistant/device/hanbridge_house/config\n")
	testbed.Until(t, "no announcement below the earlier prefix", func() bool { return len(announcedTopics(messages)) == 2 })
	run.Stop(syscall.SIGTERM)
	withWildcard := testbed.Hanbridge(t, variables, "discovery", "clear", "--prefix", "homeassistant/#")
	withWildcard.RequireOutputOnce("--prefix: ")
	if code := withWildcard.ExitCode(); code != 2 {
		t.Errorf("exit code for a prefix with a wildcard: got %d, want 2", code)
	}
}
