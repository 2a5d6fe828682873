//go:build linux

package main_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStops stops the program in the middle of things. What it says last has to arrive, or it has to end all the same.
func TestStops(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	ca := newAuthority(t)
	open, ws := "allow_anonymous true", "protocol websockets"
	tls := append(ca.issues("127.0.0.1", time.Now().Add(time.Hour)).serves(), open)
	plain, secure := door{scheme: "mqtt", lines: []string{open}}, door{scheme: "mqtts", lines: tls, variables: []string{ca.trusts()}}
	socket := door{scheme: "wss", lines: append(tls, ws), variables: []string{ca.trusts()}}
	for name, test := range map[string]func(*testing.T){
		"mqtt":                func(t *testing.T) { testSigterm(t, hanbridge, plain) },
		"wss":                 func(t *testing.T) { testSigterm(t, hanbridge, socket) },
		"mqtts, broker hangs": func(t *testing.T) { testHangs(t, hanbridge, secure) },
		"wss, broker hangs":   func(t *testing.T) { testHangs(t, hanbridge, socket) },
		"mqtts, at most once": func(t *testing.T) { testAtMostOnce(t, hanbridge, secure) },
		"wss, at most once":   func(t *testing.T) { testAtMostOnce(t, hanbridge, socket) },
		"values not retained": func(t *testing.T) { testNotRetained(t, hanbridge) },
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t) })
	}
}

// testSigterm stops a bridge that is busy. All that it has read must have arrived.
func testSigterm(t *testing.T, hanbridge string, d door) {
	broker := startedGuarded(t, d.lines...)
	ears := broker.listens()
	port := plugSimulated(t, hanbridge, "--family", "p1-se-aidon", "--speed", "100") // ten telegrams a second
	run := startRun(t, hanbridge, append(d.variables, broker.to(d.scheme), port)...)
	until(t, 20*time.Second, "some telegrams", func() bool { return strings.Count(ears.said(), "\nhanbridge/house/telegram {") > 5 })
	run.ends(syscall.SIGTERM, 4*time.Second)
	checkStopped(t, broker.mosquitto, ears)
}

// testHangs stops a bridge whose broker is connected and answers nothing any more.
func testHangs(t *testing.T, hanbridge string, d door) {
	broker := startedGuarded(t, d.lines...)
	ears := broker.listens()
	port := plugSimulated(t, hanbridge, "--family", "p1-se-aidon", "--speed", "100")
	run := startRun(t, hanbridge, append(d.variables, broker.to(d.scheme), port)...)
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
	if err := broker.process.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	run.staysUp(time.Second) // in which some telegrams are read
	run.ends(syscall.SIGTERM, 6*time.Second)
	run.saidOnce("last values not delivered")
}

// testAtMostOnce reads a file to its end with quality of service 0: nobody acknowledges, the last telegram arrives nevertheless.
func testAtMostOnce(t *testing.T, hanbridge string, d door) {
	broker := startedGuarded(t, d.lines...)
	ears := broker.listens()
	const telegrams = 20
	simulated := launch(t, nil, hanbridge, "simulate", "--count", fmt.Sprint(telegrams))
	simulated.endsWell(10 * time.Second)
	file := t.TempDir() + "/telegrams"
	if err := os.WriteFile(file, []byte(simulated.said()), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := []string{broker.to(d.scheme), "HANBRIDGE_METER_PORT=replay:" + file, "HANBRIDGE_MQTT_QOS=0"}
	run := startRun(t, hanbridge, slices.Concat(d.variables, variables)...)
	run.endsWell(20 * time.Second)
	ears.hears(5*time.Second, "hanbridge/status", "offline")
	if got := ears.heard()["hanbridge/house/telegrams"]; got != fmt.Sprint(telegrams) {
		t.Errorf("telegrams: got %s, want %d", got, telegrams)
	}
	checkStopped(t, broker.mosquitto, ears)
	if acknowledged := regexp.MustCompile(`Received PUBLISH from hanbridge-\S+ \(d0, q1`).FindAllString(broker.process.said(), -1); len(acknowledged) > 0 {
		t.Errorf("%d messages of the bridge wanted to be acknowledged, want none", len(acknowledged))
	}
}

// testNotRetained wants no value kept, but what it is of and whether it is there.
func testNotRetained(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable(), "HANBRIDGE_MQTT_RETAIN=false")
	run.awaits(5*time.Second, "port opened")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/telegram")
	ears.hears(time.Second, "hanbridge/house/status", "online")
	kept := broker.kept()
	for name := range wantTopics(t, "p1-se-aidon") {
		if _, ok := ears.heard()["hanbridge/house/"+name]; !ok {
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
	run.ends(syscall.SIGTERM, 4*time.Second)
}
