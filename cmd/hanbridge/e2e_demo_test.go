//go:build linux

package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testNetworkAttached reads a meter over TCP, and is the broker itself.
func testNetworkAttached(t *testing.T, hanbridge string) {
	simulated := launch(t, nil, hanbridge, "simulate", "--family", "p1-se-kamstrup", "--to", "tcp://127.0.0.1:0", "--speed", "20")
	simulated.awaits(5*time.Second, "\n")
	port := freePort(t)
	run := startRun(t, hanbridge, "HANBRIDGE_MQTT_URL=embedded", "HANBRIDGE_MQTT_LISTEN=127.0.0.1:"+port,
		"HANBRIDGE_METER_PORT="+address(t, simulated))
	if err := awaitListener(t, "127.0.0.1:"+port); err != nil {
		t.Fatal(err)
	}
	inside := &mosquitto{t: t, port: port}
	ears := inside.listens()
	ears.hears(5*time.Second, "hanbridge/house/import_power")
	ears.hears(5*time.Second, "hanbridge/house/status", "online")

	simulated.ends(syscall.SIGTERM, 2*time.Second)
	run.awaits(5*time.Second, "nothing listens on this port")
	run.ends(syscall.SIGTERM, 2*time.Second)
}

// address is where a simulated meter says that it is.
func address(t *testing.T, simulated *process) string {
	t.Helper()
	found := regexp.MustCompile(`^meter on (\S+)\n`).FindStringSubmatch(simulated.said())
	if found == nil {
		t.Fatalf("simulate does not say where its meter is: %q", simulated.said())
	}
	return found[1]
}

func testSimulatedPort(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	simulated := launch(t, nil, hanbridge, "simulate", "--to", "pty", "--speed", "20")
	simulated.awaits(5*time.Second, "\n")
	run := startRun(t, hanbridge, broker.url(), "HANBRIDGE_METER_PORT="+address(t, simulated))
	ears.hears(5*time.Second, "hanbridge/house/status", "online")
	ears.hears(time.Second, "hanbridge/house/telegram_errors", "0")
	run.ends(syscall.SIGTERM, 2*time.Second)
	simulated.ends(syscall.SIGTERM, 2*time.Second)
}

// testReplay wants every telegram of a file at the broker, and then the end.
func testReplay(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	file := t.TempDir() + "/telegrams"
	const telegrams = 700 // more than an output may be behind
	simulated := launch(t, nil, hanbridge, "simulate", "--count", fmt.Sprint(telegrams))
	simulated.endsWell(10 * time.Second)
	if err := os.WriteFile(file, []byte(simulated.said()), 0o600); err != nil {
		t.Fatal(err)
	}
	run := startRun(t, hanbridge, broker.url(), "HANBRIDGE_METER_PORT=replay:"+file)
	run.endsWell(20 * time.Second)
	ears.hears(5*time.Second, "hanbridge/status", "offline")
	ears.hears(5*time.Second, "hanbridge/house/status", "offline")
	if got := strings.Count(ears.said(), "\nhanbridge/house/telegram {"); got != telegrams {
		t.Errorf("%d telegrams were heard, want %d", got, telegrams)
	}
}

// testDemo follows what the demo says to do.
func testDemo(t *testing.T, hanbridge string) {
	demo := launch(t, nil, hanbridge, "demo")
	until(t, 5*time.Second, "the first value", func() bool {
		return regexp.MustCompile(`(?m)^import_power \d+ W`).MatchString(demo.said())
	})
	look := regexp.MustCompile(`(?m)^look +(mosquitto_sub .*)$`).FindStringSubmatch(demo.said())
	if look == nil {
		t.Fatalf("the demo does not say how to look:\n%s", demo.said())
	}
	sub := launch(t, nil, "sh", "-c", look[1]+" -C 40 -W 5")
	sub.endsWell(6 * time.Second)
	for _, want := range []string{"hanbridge/status online\n", "hanbridge/demo/status online\n", "hanbridge/demo/import_power "} {
		if !strings.Contains(sub.said(), want) {
			t.Errorf("%s: got\n%s\nwant %q in it", look[1], sub.said(), want)
		}
	}
	another := launch(t, nil, hanbridge, "demo") // beside it, at another port
	another.awaits(5*time.Second, "import_power ")
	if strings.Contains(another.said(), look[1]+"\n") {
		t.Errorf("two demos say that they listen at the same port:\n%s", another.said())
	}
	another.ends(syscall.SIGINT, 2*time.Second)
	demo.ends(syscall.SIGINT, 2*time.Second)
}

// testDemoAtBroker wants the household in one's own hub, marked as simulated.
func testDemoAtBroker(t *testing.T, hanbridge string) {
	broker := startedMosquitto(t)
	ears := broker.listens()
	demo := launch(t, []string{broker.url()}, hanbridge, "demo")
	ears.hears(5*time.Second, "hanbridge/demo/import_power")
	announced := ears.hears(5*time.Second, "homeassistant/device/hanbridge_demo/config")
	var device struct{ Device struct{ Name string } }
	if err := json.Unmarshal([]byte(announced), &device); err != nil {
		t.Fatal(err)
	}
	if want := "Demo household (simulated)"; device.Device.Name != want {
		t.Errorf("name of the device: got %q, want %q", device.Device.Name, want)
	}
	demo.awaits(time.Second, "mosquitto_sub -h 127.0.0.1 -p "+broker.port+" ")
	demo.ends(syscall.SIGINT, 2*time.Second)
	ears.hears(time.Second, "hanbridge/demo/status", "offline")
}
