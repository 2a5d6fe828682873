//go:build linux

package broker_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestBrokerLimits tests the program at a Mosquitto that limits the size of messages, retains no messages, or delivers a message that is too
// large for the program.
func TestBrokerLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"packet limit": func(t *testing.T) {
			testLimit(t, "max_packet_size 2048", "takes packets of 2048 bytes at most")
		},
		"packet limit, QoS 0": func(t *testing.T) {
			testLimit(t, "max_packet_size 2048", "takes packets of 2048 bytes at most", "HANBRIDGE_MQTT_QOS=0")
		},
		"broker drops silently": func(t *testing.T) {
			testLimit(t, "message_size_limit 2048", "bytes and does not deliver them; the broker's limit must be smaller")
		},
		"very small limit": testLowLimit,
		"no retain":        func(t *testing.T) { testNoRetain(t) },
		"no retain, QoS 0": func(t *testing.T) { testNoRetain(t, "HANBRIDGE_MQTT_QOS=0") },
		"large message":    testLargeMessage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testLimit tests a size limit that is too small for the announcement of the whole device. The bridge must log the limit and publish an
// announcement for each entity. A restart must not remove these announcements.
func testLimit(t *testing.T, configLine, logged string, extraVariables ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", configLine), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	variables := append([]string{cable.PortVariable(), "HANBRIDGE_STATE_DIR=" + t.TempDir()}, extraVariables...)
	run := testbed.StartBridge(t, append(variables, broker.URLVariable())...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "values, and an announcement for each entity", func() bool {
		payloads := messages.Last()
		return payloads["homeassistant/sensor/hanbridge_house/import_energy/config"] != "" && payloads["hanbridge/house/import_energy"] != "" &&
			payloads["hanbridge/house/status"] == "online" && payloads["homeassistant/device/hanbridge_house/config"] == "" // the last step removes it
	})
	run.RequireOutputOnce(logged)
	run.RequireOutputOnce("raise the broker's limit (Mosquitto: max_packet_size ")
	if output := run.Output(); strings.Contains(output, "another program") || strings.Count(output, "output interrupted") > 2 {
		t.Error("the log blames another program, or has more than two interruptions")
	}
	check := testbed.Hanbridge(t, append(variables, broker.URLVariable()), "check")
	check.RequireSuccess()
	check.RequireOutputOnce(logged)
	run.Stop(syscall.SIGTERM)
	if broker.Retained()["homeassistant/device/hanbridge_house/config"] != "" {
		t.Error("the announcement of the whole device is retained, although there is an announcement for each entity")
	}
	messages.Reset()
	run = testbed.StartBridge(t, append(variables, broker.URLVariable())...)
	run.AwaitOutput("port opened")
	cable.Send()
	run.AwaitOutput("announced to home assistant")
	if strings.Contains(messages.Text(), "\nhomeassistant/sensor/hanbridge_house/import_energy/config \n") {
		t.Error("a restart removes the announcements of the entities")
	}
	run.Stop(syscall.SIGTERM)
}

// testLowLimit tests a size limit that is too small for every announcement and for the telegram topic. The bridge must publish values, and log
// the limit. It must try to publish the large messages only a few times.
func testLowLimit(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "max_packet_size 300"), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, cable.PortVariable(), broker.URLVariable())
	run.AwaitOutput("port opened")
	published := func() bool {
		return messages.Last()["hanbridge/house/import_energy"] != "" && messages.Last()["hanbridge/house/status"] == "online"
	}
	cable.SendUntil(time.Second, "values", published)
	messages.Reset()
	cable.SendUntil(time.Second, "values of a later telegram", func() bool { return messages.Last()["hanbridge/house/import_power"] != "" })
	run.AwaitOutput("takes packets of 300 bytes at most, and hanbridge/house/telegram needs")
	if n := strings.Count(run.Output(), "not published"); n > 6 {
		t.Errorf("log lines about messages that are too large: got %d, want 6 at most", n)
	}
	if strings.Contains(run.Output(), "announced to home assistant") {
		t.Error("the log says that the meter is announced, although no announcement was sent")
	}
	check := testbed.Hanbridge(t, []string{cable.PortVariable(), broker.URLVariable()}, "check")
	check.ExitCode() // waits for the end
	check.RequireOutputOnce("takes packets of 300 bytes at most")
	run.Stop(syscall.SIGTERM)
}

// testNoRetain tests a broker that retains no messages. The bridge must publish everything at start, and again after the hub's birth message.
func testNoRetain(t *testing.T, extraVariables ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "retain_available false"), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	variables := append([]string{cable.PortVariable(), broker.URLVariable()}, extraVariables...)
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("the broker keeps no messages")
	complete := func() bool {
		payloads := messages.Last()
		return payloads["hanbridge/house/import_energy"] != "" && payloads["hanbridge/house/status"] == "online" && payloads["homeassistant/device/hanbridge_house/config"] != ""
	}
	cable.SendUntil(time.Second, "values and the announcement", complete)
	run.RequireOutputOnce("retain_available false")
	messages.Reset()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"})
	testbed.Until(t, "everything published again after the birth message", complete)
	check := testbed.Hanbridge(t, variables, "check")
	check.RequireSuccess()
	check.RequireOutputOnce("connected, may publish, but the broker retains no message")
	check.RequireOutputOnce("a hub that starts shows nothing until the next value")
	if output := run.Output(); strings.Contains(output, "output interrupted") {
		t.Error("the connection was lost")
	}
	run.Stop(syscall.SIGTERM)
}

// testLargeMessage retains a message of 64 MiB in a topic to which the bridge subscribes. The bridge must not read this message into memory
// when the message is published, nor when the bridge starts again.
func testLargeMessage(t *testing.T) {
	const maxIncrease = 8 << 10 // kB
	broker := testbed.StartMosquitto(t)
	run := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter)
	run.AwaitOutput("mqtt connected")
	testbed.Until(t, "the bridge is online", func() bool { return broker.Retained()["hanbridge/status"] == "online" })
	peakBefore := peakMemory(t, run)
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: string(make([]byte, 64<<20)), Retained: true})
	run.AwaitOutput("arrived under \\\"homeassistant/status\\\" and was discarded")
	if now := peakMemory(t, run); now > peakBefore+maxIncrease {
		t.Errorf("peak resident memory: got %d kB after the message and %d kB before it, want at most %d kB more", now, peakBefore, maxIncrease)
	}
	run.Stop(syscall.SIGTERM)
	restarted := testbed.StartBridge(t, broker.URLVariable(), unreachableMeter)
	restarted.AwaitOutput("was discarded")
	testbed.Until(t, "the bridge is online", func() bool { // without broker.Retained, which would read the large message
		return testbed.Connect(t, broker.Address(), "", "").Retained("hanbridge/status")["hanbridge/status"] == "online"
	})
	if now := peakMemory(t, restarted); now > peakBefore+maxIncrease {
		t.Errorf("peak resident memory: got %d kB with the retained message and %d kB without it, want at most %d kB more", now, peakBefore, maxIncrease)
	}
	restarted.Stop(syscall.SIGTERM)
}

// peakMemory returns the peak resident memory of a process, in kB.
func peakMemory(t *testing.T, p *testbed.Process) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.Cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:") // proc(5): the line is "VmHWM: 12345 kB"
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
