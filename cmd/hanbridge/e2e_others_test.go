//go:build linux

package main_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOthers runs the program at a Mosquitto at which others say and keep what they like, and with settings that are changed.
func TestOthers(t *testing.T) {
	t.Parallel()
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"offline again and again": func(t *testing.T, hanbridge string) {
			testFlood(t, hanbridge, "hanbridge/status", "offline", "somebody else said that this bridge is offline")
		},
		"births again and again":   func(t *testing.T, hanbridge string) { testFlood(t, hanbridge, "homeassistant/status", "online", "") },
		"more retained than read":  testTooMuchRetained,
		"another prefix":           testPrefixes,
		"another prefix and crash": testPrefixCrash,
		"prefix without memory":    testPrefixWithoutMemory,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

// sayAll publishes lines under a topic over one connection.
func (m *mosquitto) sayAll(topic, lines string) {
	m.t.Helper()
	pub := exec.CommandContext(m.t.Context(), "mosquitto_pub", "-h", "127.0.0.1", "-p", m.port, "-t", topic, "-l")
	pub.Stdin = strings.NewReader(lines)
	if out, err := pub.CombinedOutput(); err != nil {
		m.t.Fatalf("mosquitto_pub: %v\n%s", err, out)
	}
}

// testFlood has somebody say something ten thousand times: it is answered, a few times at most, and is a line of the log.
func testFlood(t *testing.T, hanbridge, topic, payload, logged string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable())
	run.awaits(10*time.Second, "port opened")
	cable.send()
	ears.hears(10*time.Second, "hanbridge/house/telegram")
	run.awaits(20*time.Second, "announced to home assistant")
	lines := strings.Count(run.said(), "\n")
	ears.forget()
	began := time.Now()
	broker.sayAll(topic, strings.Repeat(payload+"\n", 10000))
	ears.hears(30*time.Second, "hanbridge/house/status", "online") // everything again, this last
	most := 2 + int(time.Since(began)/(5*time.Second))
	if got := strings.Count(ears.said()[ears.from:], "\nhanbridge/status online\n"); got > most {
		t.Errorf("said online %d times, want %d at most", got, most)
	}
	if got := strings.Count(run.said(), "\n") - lines; got > 2 {
		t.Errorf("%d lines of log for it, want one or two", got)
	}
	if logged != "" {
		run.saidOnce(logged)
	}
	if got := broker.kept()["hanbridge/status"]; got != "online" {
		t.Errorf("in the end the bridge is %q", got)
	}
	run.ends(syscall.SIGTERM, 5*time.Second)
}

// testTooMuchRetained has more retained under the meter's name than is read: values and announcements go out, and the commands say so.
func testTooMuchRetained(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	broker.crowd("homeassistant/sensor/hanbridge_house/x%d/config", 25_000)
	ears := broker.listens()
	variables := []string{broker.url(), cable.variable(), "HANBRIDGE_METER_ID=house"}
	run := startRun(t, hanbridge, variables...)
	run.awaits(10*time.Second, "port opened")
	cable.sends(time.Second, 40*time.Second, "the house", func() bool {
		return ears.heard()["hanbridge/house/status"] == "online" && ears.heard()["homeassistant/device/hanbridge_house/config"] != ""
	})
	run.saidOnce("not all of this bridge's earlier announcements are known")
	run.ends(syscall.SIGTERM, 5*time.Second)
	for _, command := range []string{"diff", "show", "clear"} {
		p := launch(t, variables, hanbridge, "discovery", command)
		until(t, 60*time.Second, command+" ends", func() bool { return ended(p) })
		if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.said(), "not all that mqtt://127.0.0.1:"+broker.port+" retains was read") {
			t.Errorf("discovery %s: got exit code %d, and it does not say that not all was read:\n%.2000s", command, code, p.said())
		}
	}
}

// prefixed starts a bridge with a prefix and waits until its meter is announced there, and nowhere else.
func prefixed(t *testing.T, hanbridge string, broker *mosquitto, cable *cable, ears *listener, prefix string, variables ...string) *process {
	t.Helper()
	run := startRun(t, hanbridge, append(variables, broker.url(), cable.variable(), "HANBRIDGE_HOMEASSISTANT_PREFIX="+prefix)...)
	run.awaits(10*time.Second, "port opened")
	cable.sends(time.Second, 30*time.Second, "announced below "+prefix+" alone", func() bool {
		topics := allAnnounced(ears)
		for _, topic := range topics {
			if !strings.HasPrefix(topic, prefix+"/") {
				return false
			}
		}
		return len(topics) == 2
	})
	return run
}

// allAnnounced are the topics of announcements that have not been taken back, whatever the prefix.
func allAnnounced(ears *listener) (topics []string) {
	for topic, payload := range ears.heard() {
		if strings.HasSuffix(topic, "/config") && payload != "" {
			topics = append(topics, topic)
		}
	}
	return topics
}

// testPrefixes changes the prefix there and back, with a broker that is away in between, and then switches discovery off and on.
func testPrefixes(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t, "allow_anonymous true", "persistence true", "persistence_location "+t.TempDir()+"/"), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	for _, prefix := range []string{"homeassistant", "hubs/second", "homeassistant"} {
		prefixed(t, hanbridge, broker, cable, ears, prefix, state).ends(syscall.SIGTERM, 5*time.Second)
	}
	off := "HANBRIDGE_HOMEASSISTANT_DISCOVERY=off"
	nowhere := startRun(t, hanbridge, "HANBRIDGE_MQTT_URL=mqtt://127.0.0.1:"+freePort(t), cable.variable(), state, off, "HANBRIDGE_HOMEASSISTANT_PREFIX=third")
	nowhere.awaits(10*time.Second, "nobody listens on")
	nowhere.ends(syscall.SIGTERM, 5*time.Second)
	run := startRun(t, hanbridge, broker.url(), cable.variable(), state, off)
	until(t, 20*time.Second, "all announcements taken back", func() bool { return len(allAnnounced(ears)) == 0 })
	run.awaits(5*time.Second, "taken back: announced under another homeassistant.prefix, or before homeassistant.discovery was off")
	run.ends(syscall.SIGTERM, 5*time.Second)
	prefixed(t, hanbridge, broker, cable, ears, "homeassistant", state).ends(syscall.SIGTERM, 5*time.Second)
	hub := heardBy(ears)
	if got := len(alive(hub, false)); got < 30 || len(hub.Complaints) > 0 {
		t.Errorf("the hub knows %d entities, and complains: %q", got, hub.Complaints)
	}
}

// testPrefixCrash kills the bridge at a few moments of a change of prefix, and configures it back.
func testPrefixCrash(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	state := "HANBRIDGE_STATE_DIR=" + filepath.Join(t.TempDir(), "state")
	prefixed(t, hanbridge, broker, cable, ears, "homeassistant", state).ends(syscall.SIGTERM, 5*time.Second)
	for _, moment := range []string{"homeassistant/device/hanbridge_bridge/config", "homeassistant/device/hanbridge_house/config", "hubs/second/device/hanbridge_bridge/config"} {
		ears.forget()
		run := startRun(t, hanbridge, broker.url(), cable.variable(), state, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
		run.awaits(10*time.Second, "port opened")
		cable.send()
		ears.hears(20*time.Second, moment)
		run.kill()
		ears.from = 0
		prefixed(t, hanbridge, broker, cable, ears, "homeassistant", state).ends(syscall.SIGTERM, 5*time.Second)
	}
}

// testPrefixWithoutMemory: what a bridge without memory leaves below the old prefix is taken back by hand.
func testPrefixWithoutMemory(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	const off = "HANBRIDGE_STATE_DIR=off"
	prefixed(t, hanbridge, broker, cable, ears, "homeassistant", off).ends(syscall.SIGTERM, 5*time.Second)
	run := startRun(t, hanbridge, broker.url(), cable.variable(), off, "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second")
	run.awaits(10*time.Second, "port opened")
	cable.sends(time.Second, 20*time.Second, "announced in the new place", func() bool { return ears.heard()["hubs/second/device/hanbridge_house/config"] != "" })
	variables := []string{broker.url(), "HANBRIDGE_METER_ID=house", "HANBRIDGE_HOMEASSISTANT_PREFIX=hubs/second"}
	clear := launch(t, variables, hanbridge, "discovery", "clear", "--prefix", "homeassistant")
	clear.endsWell(30 * time.Second)
	clear.saidOnce("homeassistant/device/hanbridge_house/config\n")
	until(t, 5*time.Second, "the old place is empty", func() bool { return len(allAnnounced(ears)) == 2 })
	run.ends(syscall.SIGTERM, 5*time.Second)
	wrong := launch(t, variables, hanbridge, "discovery", "clear", "--prefix", "homeassistant/#")
	until(t, 10*time.Second, "it ends", func() bool { return ended(wrong) })
	wrong.saidOnce("--prefix: ")
	if code := wrong.cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("a prefix with a wildcard: exit code %d, want 2", code)
	}
}
