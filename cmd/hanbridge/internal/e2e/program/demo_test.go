//go:build linux

package program_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// testNetworkAttached reads a meter over TCP, and is the broker itself.
func testNetworkAttached(t *testing.T) {
	simulated, address := testbed.Simulate(t, "--family", "p1-se-kamstrup", "--to", "tcp://127.0.0.1:0")
	port := testbed.FreePort(t)
	run := testbed.StartBridge(t, "HANBRIDGE_MQTT_URL=embedded", "HANBRIDGE_MQTT_LISTEN=127.0.0.1:"+port,
		"HANBRIDGE_METER_PORT="+address)
	testbed.AwaitListener(t, "127.0.0.1:"+port)
	ears := testbed.Listen(t, "127.0.0.1:"+port)
	ears.Hear("hanbridge/house/import_power")
	ears.Hear("hanbridge/house/status", "online")

	simulated.End(syscall.SIGTERM)
	run.Await("nothing listens on this port")
	run.End(syscall.SIGTERM)
}

func testSimulatedPort(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	ears := broker.Listen()
	simulated, address := testbed.Simulate(t)
	run := testbed.StartBridge(t, broker.URL(), "HANBRIDGE_METER_PORT="+address)
	ears.Hear("hanbridge/house/status", "online")
	ears.Hear("hanbridge/house/telegram_errors", "0")
	run.End(syscall.SIGTERM)
	simulated.End(syscall.SIGTERM)
}

// testDemo follows what the demo says to do.
func testDemo(t *testing.T) {
	testbed.NeedPeer(t, "mosquitto_sub")
	demo := testbed.Hanbridge(t, nil, "demo")
	testbed.Until(t, "the first value", func() bool {
		return regexp.MustCompile(`(?m)^import_power \d+ W`).MatchString(demo.Said())
	})
	look := regexp.MustCompile(`(?m)^look +(mosquitto_sub .*)$`).FindStringSubmatch(demo.Said())
	if look == nil {
		t.Fatalf("the demo does not say how to look:\n%s", demo.Said())
	}
	sub := testbed.Launch(t, nil, "sh", "-c", look[1]+" -C 40 -W 60")
	sub.EndsWell()
	for _, want := range []string{"hanbridge/status online\n", "hanbridge/demo/status online\n", "hanbridge/demo/import_power "} {
		if !strings.Contains(sub.Said(), want) {
			t.Errorf("%s: got\n%s\nwant %q in it", look[1], sub.Said(), want)
		}
	}
	another := testbed.Hanbridge(t, nil, "demo") // beside it, at another port
	another.Await("import_power ")
	if strings.Contains(another.Said(), look[1]+"\n") {
		t.Errorf("two demos say that they listen at the same port:\n%s", another.Said())
	}
	another.End(syscall.SIGINT)
	demo.End(syscall.SIGINT)
}

// testDemoAtBroker wants the household in one's own hub, marked as simulated.
func testDemoAtBroker(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	ears := broker.Listen()
	demo := testbed.Hanbridge(t, []string{broker.URL()}, "demo")
	ears.Hear("hanbridge/demo/import_power")
	announced := ears.Hear("homeassistant/device/hanbridge_demo/config")
	var device struct{ Device struct{ Name string } }
	if err := json.Unmarshal([]byte(announced), &device); err != nil {
		t.Fatal(err)
	}
	if want := "Demo household (simulated)"; device.Device.Name != want {
		t.Errorf("name of the device: got %q, want %q", device.Device.Name, want)
	}
	demo.Await("mosquitto_sub -h 127.0.0.1 -p " + broker.Port + " ")
	demo.End(syscall.SIGINT)
	ears.Hear("hanbridge/demo/status", "offline")
}
