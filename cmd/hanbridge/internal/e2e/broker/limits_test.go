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

// TestStrictBrokers tests the program at a Mosquitto that refuses some of its messages.
func TestStrictBrokers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"packet limit": func(t *testing.T) {
			testLimit(t, "max_packet_size 2048", "takes packets of 2048 bytes at most")
		},
		"packet limit, quality 0": func(t *testing.T) {
			testLimit(t, "max_packet_size 2048", "takes packets of 2048 bytes at most", "HANBRIDGE_MQTT_QOS=0")
		},
		"limit that drops without a word": func(t *testing.T) {
			testLimit(t, "message_size_limit 2048", "bytes and does not deliver them; its limit must be smaller")
		},
		"limit below the telegram": func(t *testing.T) { testLowLimit(t) },
		"no retain":                func(t *testing.T) { testNoRetain(t) },
		"no retain, quality 0":     func(t *testing.T) { testNoRetain(t, "HANBRIDGE_MQTT_QOS=0") },
		"a flood":                  testLargeFlood,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// testLimit tests a size limit that the values fit: the meter is announced entity by entity, and the next start keeps the announcements.
func testLimit(t *testing.T, line, says string, more ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", line), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	variables := append([]string{cable.PortVariable(), "HANBRIDGE_STATE_DIR=" + t.TempDir()}, more...)
	run := testbed.StartBridge(t, append(variables, broker.URLVariable())...)
	run.AwaitOutput("port opened")
	cable.SendUntil(time.Second, "the meter announced entity by entity, and values", func() bool {
		payloads := messages.Last()
		return payloads["homeassistant/sensor/hanbridge_house/import_energy/config"] != "" && payloads["hanbridge/house/import_energy"] != "" &&
			payloads["hanbridge/house/status"] == "online"
	})
	run.RequireOutputOnce(says)
	run.RequireOutputOnce("raise the broker's limit (Mosquitto: max_packet_size ")
	if output := run.Output(); strings.Contains(output, "another program") || strings.Count(output, "output interrupted") > 2 {
		t.Error("a second client is blamed, or the connection is lost again and again")
	}
	check := testbed.Hanbridge(t, append(variables, broker.URLVariable()), "check")
	check.RequireSuccess()
	check.RequireOutputOnce(says)
	run.Stop(syscall.SIGTERM)
	if broker.Retained()["homeassistant/device/hanbridge_house/config"] != "" {
		t.Error("the announcement of the whole device is kept beside those of the entities")
	}
	messages.Reset()
	run = testbed.StartBridge(t, append(variables, broker.URLVariable())...)
	run.AwaitOutput("port opened")
	cable.Send()
	run.AwaitOutput("announced to home assistant")
	if strings.Contains(messages.Text(), "\nhomeassistant/sensor/hanbridge_house/import_energy/config \n") {
		t.Error("another start takes back what announces the entities")
	}
	run.Stop(syscall.SIGTERM)
}

// testLowLimit tests a size limit that no announcement and no telegram fits. Values are published, the log says what to do, and the bridge
// stops to try.
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
	cable.SendUntil(time.Second, "values that go on", func() bool { return messages.Last()["hanbridge/house/import_power"] != "" })
	run.AwaitOutput("takes packets of 300 bytes at most, and hanbridge/house/telegram needs")
	if n := strings.Count(run.Output(), "not published"); n > 6 {
		t.Errorf("%d lines about messages that are too large, want 6 at most", n)
	}
	if strings.Contains(run.Output(), "announced to home assistant") {
		t.Error("what was not sent is told as announced")
	}
	check := testbed.Hanbridge(t, []string{cable.PortVariable(), broker.URLVariable()}, "check")
	check.ExitCode()
	check.RequireOutputOnce("takes packets of 300 bytes at most")
	run.Stop(syscall.SIGTERM)
}

// testNoRetain tests a broker that retains nothing: all is published, and again after the hub's birth message.
func testNoRetain(t *testing.T, more ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "retain_available false"), testbed.PlugCable(t, "p1-se-aidon")
	messages := broker.LogMessages()
	variables := append([]string{cable.PortVariable(), broker.URLVariable()}, more...)
	run := testbed.StartBridge(t, variables...)
	run.AwaitOutput("the broker keeps no messages")
	all := func() bool {
		payloads := messages.Last()
		return payloads["hanbridge/house/import_energy"] != "" && payloads["hanbridge/house/status"] == "online" && payloads["homeassistant/device/hanbridge_house/config"] != ""
	}
	cable.SendUntil(time.Second, "values and the announcement", all)
	run.RequireOutputOnce("retain_available false")
	messages.Reset()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"})
	testbed.Until(t, "all is said again to a hub that starts", all)
	check := testbed.Hanbridge(t, variables, "check")
	check.RequireSuccess()
	check.RequireOutputOnce("connected, may publish, keeps nothing")
	check.RequireOutputOnce("a hub that starts shows nothing until the next value")
	if output := run.Output(); strings.Contains(output, "output interrupted") {
		t.Error("the connection was lost")
	}
	run.Stop(syscall.SIGTERM)
}

// testLargeFlood publishes 64 MiB to subscribed topics, and retains them for the next start. The bridge must not read them into memory.
func testLargeFlood(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	run := testbed.StartBridge(t, broker.URLVariable(), noMeter)
	run.AwaitOutput("mqtt connected")
	testbed.Until(t, "the bridge says that it is there", func() bool { return broker.Retained()["hanbridge/status"] == "online" })
	before := resident(t, run)
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: string(make([]byte, 64<<20)), Retained: true})
	run.AwaitOutput("came under \\\"homeassistant/status\\\" and was not read")
	if now := resident(t, run); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after the flood, %d before: want 8 MiB more at most", now, before)
	}
	run.Stop(syscall.SIGTERM)
	again := testbed.StartBridge(t, broker.URLVariable(), noMeter)
	again.AwaitOutput("was not read")
	testbed.Until(t, "the bridge says that it is there", func() bool {
		return testbed.Connect(t, broker.Address(), "", "").Retained("hanbridge/status")["hanbridge/status"] == "online"
	})
	if now := resident(t, again); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after a start with what is kept, want 8 MiB more than %d at most", now, before)
	}
	again.Stop(syscall.SIGTERM)
}

// resident returns the peak resident memory of a process, in kB.
func resident(t *testing.T, p *testbed.Process) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.Cmd.Process.Pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
