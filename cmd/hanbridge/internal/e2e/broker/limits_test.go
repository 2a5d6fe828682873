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

// TestStrictBrokers runs the program at a Mosquitto that does not take all that it publishes.
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

// testLimit wants values, and the meter announced entity by entity; another start knows what was announced.
func testLimit(t *testing.T, line, says string, more ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", line), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	variables := append([]string{cable.Variable(), "HANBRIDGE_STATE_DIR=" + t.TempDir()}, more...)
	run := testbed.StartBridge(t, append(variables, broker.URL())...)
	run.Await("port opened")
	cable.SendUntil(time.Second, "the meter announced entity by entity, and values", func() bool {
		heard := ears.Heard()
		return heard["homeassistant/sensor/hanbridge_house/import_energy/config"] != "" && heard["hanbridge/house/import_energy"] != "" &&
			heard["hanbridge/house/status"] == "online"
	})
	run.SaidOnce(says)
	run.SaidOnce("raise the broker's limit (Mosquitto: max_packet_size ")
	if said := run.Said(); strings.Contains(said, "another program") || strings.Count(said, "output interrupted") > 2 {
		t.Error("a second client is blamed, or the connection is lost again and again")
	}
	check := testbed.Hanbridge(t, append(variables, broker.URL()), "check")
	check.EndsWell()
	check.SaidOnce(says)
	run.End(syscall.SIGTERM)
	if broker.Kept()["homeassistant/device/hanbridge_house/config"] != "" {
		t.Error("the announcement of the whole device is kept beside those of the entities")
	}
	ears.Forget()
	run = testbed.StartBridge(t, append(variables, broker.URL())...)
	run.Await("port opened")
	cable.Send()
	run.Await("announced to home assistant")
	if strings.Contains(ears.Text(), "\nhomeassistant/sensor/hanbridge_house/import_energy/config \n") {
		t.Error("another start takes back what announces the entities")
	}
	run.End(syscall.SIGTERM)
}

// testLowLimit has a limit that no announcement and no telegram fits: values go out, what to do is said, and nothing is tried for ever.
func testLowLimit(t *testing.T) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "max_packet_size 300"), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	run := testbed.StartBridge(t, cable.Variable(), broker.URL())
	run.Await("port opened")
	heard := func() bool {
		return ears.Heard()["hanbridge/house/import_energy"] != "" && ears.Heard()["hanbridge/house/status"] == "online"
	}
	cable.SendUntil(time.Second, "values", heard)
	ears.Forget()
	cable.SendUntil(time.Second, "values that go on", func() bool { return ears.Heard()["hanbridge/house/import_power"] != "" })
	run.Await("takes packets of 300 bytes at most, and hanbridge/house/telegram needs")
	if n := strings.Count(run.Said(), "not published"); n > 6 {
		t.Errorf("%d lines about messages that are too large, want 6 at most", n)
	}
	if strings.Contains(run.Said(), "announced to home assistant") {
		t.Error("what was not sent is told as announced")
	}
	check := testbed.Hanbridge(t, []string{cable.Variable(), broker.URL()}, "check")
	check.ExitCode()
	check.SaidOnce("takes packets of 300 bytes at most")
	run.End(syscall.SIGTERM)
}

// testNoRetain wants values and announcements that are not kept, and all again when the hub starts.
func testNoRetain(t *testing.T, more ...string) {
	broker, cable := testbed.StartMosquitto(t, "allow_anonymous true", "retain_available false"), testbed.PlugCable(t, "p1-se-aidon")
	ears := broker.Listen()
	variables := append([]string{cable.Variable(), broker.URL()}, more...)
	run := testbed.StartBridge(t, variables...)
	run.Await("the broker keeps no messages")
	all := func() bool {
		heard := ears.Heard()
		return heard["hanbridge/house/import_energy"] != "" && heard["hanbridge/house/status"] == "online" && heard["homeassistant/device/hanbridge_house/config"] != ""
	}
	cable.SendUntil(time.Second, "values and the announcement", all)
	run.SaidOnce("retain_available false")
	ears.Forget()
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: "online"})
	testbed.Until(t, "all is said again to a hub that starts", all)
	check := testbed.Hanbridge(t, variables, "check")
	check.EndsWell()
	check.SaidOnce("connected, may publish, keeps nothing")
	check.SaidOnce("a hub that starts shows nothing until the next value")
	if said := run.Said(); strings.Contains(said, "output interrupted") {
		t.Error("the connection was lost")
	}
	run.End(syscall.SIGTERM)
}

// testLargeFlood publishes 64 MiB where the bridge listens, and has them kept for its next start. They are not read into memory.
func testLargeFlood(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	run := testbed.StartBridge(t, broker.URL(), noMeter)
	run.Await("mqtt connected")
	testbed.Until(t, "the bridge says that it is there", func() bool { return broker.Kept()["hanbridge/status"] == "online" })
	before := resident(t, run)
	broker.Publish(testbed.Message{Topic: "homeassistant/status", Payload: string(make([]byte, 64<<20)), Retained: true})
	run.Await("came under \\\"homeassistant/status\\\" and was not read")
	if now := resident(t, run); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after the flood, %d before: want 8 MiB more at most", now, before)
	}
	run.End(syscall.SIGTERM)
	again := testbed.StartBridge(t, broker.URL(), noMeter)
	again.Await("was not read")
	testbed.Until(t, "the bridge says that it is there", func() bool {
		return testbed.Connect(t, broker.Address(), "", "").Kept("hanbridge/status")["hanbridge/status"] == "online"
	})
	if now := resident(t, again); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after a start with what is kept, want 8 MiB more than %d at most", now, before)
	}
	again.End(syscall.SIGTERM)
}

// resident is the most that a process had in memory, in kB.
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
