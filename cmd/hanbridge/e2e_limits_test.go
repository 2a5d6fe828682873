//go:build linux

package main_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStrictBrokers runs the program at a Mosquitto that does not take all that it publishes.
func TestStrictBrokers(t *testing.T) {
	t.Parallel()
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"packet limit": func(t *testing.T, hanbridge string) {
			testLimit(t, hanbridge, "max_packet_size 2048", "takes packets of 2048 bytes at most")
		},
		"packet limit, quality 0": func(t *testing.T, hanbridge string) {
			testLimit(t, hanbridge, "max_packet_size 2048", "takes packets of 2048 bytes at most", "HANBRIDGE_MQTT_QOS=0")
		},
		"limit that drops without a word": func(t *testing.T, hanbridge string) {
			testLimit(t, hanbridge, "message_size_limit 2048", "bytes and does not deliver them; its limit must be smaller")
		},
		"limit below the telegram": func(t *testing.T, hanbridge string) { testLowLimit(t, hanbridge) },
		"no retain":                func(t *testing.T, hanbridge string) { testNoRetain(t, hanbridge) },
		"no retain, quality 0":     func(t *testing.T, hanbridge string) { testNoRetain(t, hanbridge, "HANBRIDGE_MQTT_QOS=0") },
		"a flood":                  testLargeFlood,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

// testLimit wants values, and the meter announced entity by entity; another start knows what was announced.
func testLimit(t *testing.T, hanbridge, line, says string, more ...string) {
	broker, cable := startedMosquitto(t, "allow_anonymous true", line), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	variables := append([]string{cable.variable(), "HANBRIDGE_STATE_DIR=" + t.TempDir()}, more...)
	run := startRun(t, hanbridge, append(variables, broker.url())...)
	run.awaits(10*time.Second, "port opened")
	cable.sends(time.Second, 30*time.Second, "the meter announced entity by entity, and values", func() bool {
		heard := ears.heard()
		return heard["homeassistant/sensor/hanbridge_house/import_energy/config"] != "" && heard["hanbridge/house/import_energy"] != "" &&
			heard["hanbridge/house/status"] == "online"
	})
	run.saidOnce(says)
	run.saidOnce("raise the broker's limit (Mosquitto: max_packet_size ")
	if said := run.said(); strings.Contains(said, "another program") || strings.Count(said, "output interrupted") > 2 {
		t.Error("a second client is blamed, or the connection is lost again and again")
	}
	check := launch(t, append(variables, broker.url()), hanbridge, "check")
	check.endsWell(15 * time.Second)
	check.saidOnce(says)
	run.ends(syscall.SIGTERM, 5*time.Second)
	if broker.kept()["homeassistant/device/hanbridge_house/config"] != "" {
		t.Error("the announcement of the whole device is kept beside those of the entities")
	}
	ears.forget()
	run = startRun(t, hanbridge, append(variables, broker.url())...)
	run.awaits(10*time.Second, "port opened")
	cable.send()
	run.awaits(30*time.Second, "announced to home assistant")
	if strings.Contains(ears.said()[ears.from:], "\nhomeassistant/sensor/hanbridge_house/import_energy/config \n") {
		t.Error("another start takes back what announces the entities")
	}
	run.ends(syscall.SIGTERM, 5*time.Second)
}

// testLowLimit has a limit that no announcement and no telegram fits: values go out, what to do is said, and nothing is tried for ever.
func testLowLimit(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t, "allow_anonymous true", "max_packet_size 300"), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, cable.variable(), broker.url())
	run.awaits(10*time.Second, "port opened")
	heard := func() bool {
		return ears.heard()["hanbridge/house/import_energy"] != "" && ears.heard()["hanbridge/house/status"] == "online"
	}
	cable.sends(time.Second, 30*time.Second, "values", heard)
	ears.forget()
	cable.sends(time.Second, 10*time.Second, "values that go on", func() bool { return ears.heard()["hanbridge/house/import_power"] != "" })
	run.awaits(5*time.Second, "takes packets of 300 bytes at most, and hanbridge/house/telegram needs")
	if n := strings.Count(run.said(), "not published"); n > 6 {
		t.Errorf("%d lines about messages that are too large, want 6 at most", n)
	}
	if strings.Contains(run.said(), "announced to home assistant") {
		t.Error("what was not sent is told as announced")
	}
	check := launch(t, []string{cable.variable(), broker.url()}, hanbridge, "check")
	until(t, 15*time.Second, "the check is done", func() bool { return ended(check) })
	check.saidOnce("takes packets of 300 bytes at most")
	run.ends(syscall.SIGTERM, 5*time.Second)
}

// testNoRetain wants values and announcements that are not kept, and all again when the hub starts.
func testNoRetain(t *testing.T, hanbridge string, more ...string) {
	broker, cable := startedMosquitto(t, "allow_anonymous true", "retain_available false"), pluggedCable(t, "p1-se-aidon")
	ears := broker.listensUnretained()
	variables := append([]string{cable.variable(), broker.url()}, more...)
	run := startRun(t, hanbridge, variables...)
	run.awaits(10*time.Second, "the broker keeps no messages")
	all := func() bool {
		heard := ears.heard()
		return heard["hanbridge/house/import_energy"] != "" && heard["hanbridge/house/status"] == "online" && heard["homeassistant/device/hanbridge_house/config"] != ""
	}
	cable.sends(time.Second, 20*time.Second, "values and the announcement", all)
	run.saidOnce("retain_available false")
	ears.forget()
	broker.say("homeassistant/status", "online")
	until(t, 15*time.Second, "all is said again to a hub that starts", all)
	check := launch(t, variables, hanbridge, "check")
	check.endsWell(15 * time.Second)
	check.saidOnce("connected, may publish, keeps nothing")
	check.saidOnce("a hub that starts shows nothing until the next value")
	if said := run.said(); strings.Contains(said, "output interrupted") {
		t.Error("the connection was lost")
	}
	run.ends(syscall.SIGTERM, 5*time.Second)
}

// testLargeFlood publishes 64 MiB where the bridge listens, and has them kept for its next start. They are not read into memory.
func testLargeFlood(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	run := startRun(t, hanbridge, broker.url(), noMeter)
	run.awaits(10*time.Second, "mqtt connected")
	until(t, 5*time.Second, "the bridge says that it is there", func() bool { return broker.kept()["hanbridge/status"] == "online" })
	before := resident(t, run)
	file := filepath.Join(t.TempDir(), "flood")
	if err := os.WriteFile(file, make([]byte, 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, nil, "mosquitto_pub", "-h", "127.0.0.1", "-p", broker.port, "-t", "homeassistant/status", "-q", "1", "-r", "-f", file).endsWell(30 * time.Second)
	run.awaits(30*time.Second, "came under \\\"homeassistant/status\\\" and was not read")
	if now := resident(t, run); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after the flood, %d before: want 8 MiB more at most", now, before)
	}
	run.ends(syscall.SIGTERM, 5*time.Second)
	again := startRun(t, hanbridge, broker.url(), noMeter)
	again.awaits(30*time.Second, "was not read")
	until(t, 30*time.Second, "the bridge says that it is there", func() bool { return len(again.said()) > 0 && broker.says("hanbridge/status") == "online" })
	if now := resident(t, again); now > before+8<<10 {
		t.Errorf("%d kB are resident at most after a start with what is kept, want 8 MiB more than %d at most", now, before)
	}
	again.ends(syscall.SIGTERM, 5*time.Second)
}

// listensUnretained listens at a broker that keeps nothing.
func (m *mosquitto) listensUnretained() *listener {
	m.t.Helper()
	l := &listener{process: launch(m.t, nil, "mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-t", "#", "-F", "%t %p")}
	until(m.t, 10*time.Second, "the listener hears", func() bool { m.say(marker, "yes"); return strings.Contains(l.said(), marker+" yes\n") })
	return l
}

// says is what the broker keeps under a topic.
func (m *mosquitto) says(topic string) string {
	sub := launch(m.t, nil, "mosquitto_sub", "-h", "127.0.0.1", "-p", m.port, "-t", topic, "-C", "1", "-W", "2")
	until(m.t, 5*time.Second, "an answer", func() bool { return ended(sub) })
	return strings.TrimSpace(sub.said())
}

// resident is the most that a process had in memory, in kB.
func resident(t *testing.T, p *process) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
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
