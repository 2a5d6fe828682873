//go:build linux

package main_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTwoBridges runs two at one Mosquitto that get in each other's way, or seem to.
func TestTwoBridges(t *testing.T) {
	needPeer(t, "mosquitto")
	needPeer(t, "mosquitto_sub")
	hanbridge := buildProgram(t)
	for name, test := range map[string]func(*testing.T, string){
		"one name":              testOneName,
		"two configurations":    testTwoConfigurations,
		"a broker that is gone": testRestarts,
		"one that stops":        testSecondStops,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, hanbridge)
		})
	}
}

const (
	clashSaid = "another program most likely connects to"
	noMeter   = "HANBRIDGE_METER_PORT=tcp://127.0.0.1:1"
)

// testOneName has two bridges throw each other out: both say so, once, and the log stays readable.
func testOneName(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	name := "HANBRIDGE_MQTT_CLIENT_ID=cellar"
	one := startRun(t, hanbridge, broker.url(), noMeter, name)
	one.awaits(5*time.Second, "mqtt connected")
	two := startRun(t, hanbridge, broker.url(), noMeter, name, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	for _, run := range []*process{one, two} {
		run.awaits(30*time.Second, clashSaid+" 127.0.0.1:"+broker.port+` as \"cellar\"`)
	}
	two.staysUp(4 * time.Second)
	for _, run := range []*process{one, two} {
		run.saidOnce(clashSaid)
		run.saidOnce("Set another mqtt.client_id")
		if n := strings.Count(run.said(), "\n"); n > 12 {
			t.Errorf("%d lines, want 12 at most:\n%s", n, run.said())
		}
	}
	if n := strings.Count(broker.process.said(), "closing old connection"); n < 3 || n > 10 {
		t.Errorf("%d connections were ended by the broker, want 3 to 10: told soon, then slow", n)
	}
	two.ends(syscall.SIGTERM, 4*time.Second)
	one.ends(syscall.SIGTERM, 4*time.Second)
}

// testTwoConfigurations has no client id set: two configurations on a machine do not meet, and each keeps its name.
func testTwoConfigurations(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	one := startRun(t, hanbridge, broker.url(), noMeter)
	two := startRun(t, hanbridge, broker.url(), noMeter, "HANBRIDGE_MQTT_BASE_TOPIC=other")
	one.awaits(5*time.Second, "mqtt connected")
	two.awaits(5*time.Second, "mqtt connected")
	one.ends(syscall.SIGTERM, 4*time.Second)
	again := startRun(t, hanbridge, broker.url(), noMeter)
	again.awaits(5*time.Second, "mqtt connected")
	ids := map[string]int{}
	until(t, 5*time.Second, "three have connected", func() bool {
		clear(ids)
		for _, found := range regexp.MustCompile(` as (\S+) \(p`).FindAllStringSubmatch(broker.process.said(), -1) {
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
	if strings.Contains(two.said(), "interrupted") {
		t.Error("the second was thrown out")
	}
}

func sum(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

// testRestarts kills the broker twice in a short time. That is no clash, and the log ends with the good news.
func testRestarts(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	run := startRun(t, hanbridge, broker.url(), noMeter)
	run.awaits(5*time.Second, "mqtt connected")
	for range 2 {
		broker.process.kill()
		broker.start()
		until(t, 15*time.Second, "the bridge is back", func() bool { return broker.kept()["hanbridge/status"] == "online" })
	}
	told := run.said()
	if strings.Contains(told, clashSaid) {
		t.Error("a restart is told as a clash")
	}
	if strings.LastIndex(told, "mqtt connected") < strings.LastIndex(told, "output interrupted") {
		t.Error("the end of an interruption is not told")
	}
	if up, down := strings.Count(told, "mqtt connected"), strings.Count(told, "output interrupted"); up < 2 || up > down+1 {
		t.Errorf("connected was said %d times, with %d interruptions", up, down)
	}
}

// testSecondStops has two bridges of the same topics under different names. The one that stops says offline for both; the other
// one does not leave it at that.
func testSecondStops(t *testing.T, hanbridge string) {
	broker, cable := startedMosquitto(t), pluggedCable(t, "p1-se-aidon")
	ears := broker.listens()
	run := startRun(t, hanbridge, broker.url(), cable.variable(), "HANBRIDGE_MQTT_CLIENT_ID=one")
	run.awaits(5*time.Second, "port opened")
	cable.send()
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
	ears.forget()
	second := startRun(t, hanbridge, broker.url(), noMeter, "HANBRIDGE_MQTT_CLIENT_ID=two")
	ears.hears(5*time.Second, "hanbridge/status", "online")
	second.ends(syscall.SIGTERM, 4*time.Second)
	ears.hears(5*time.Second, "hanbridge/status", "offline")
	ears.hears(20*time.Second, "hanbridge/status", "online")
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
	run.saidOnce("somebody else said that this bridge is offline")
}
