//go:build linux

package program_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// testNetworkAttached tests a bridge with the embedded broker that reads a meter over TCP. When the connection to the meter fails, the bridge
// must log the cause.
func testNetworkAttached(t *testing.T) {
	simulated, meterPort := testbed.Simulate(t, "--family", "p1-se-kamstrup", "--to", "tcp://127.0.0.1:0")
	broker := "127.0.0.1:" + testbed.FreePort(t)
	run := testbed.StartBridge(t, "HANBRIDGE_MQTT_URL=embedded", "HANBRIDGE_MQTT_LISTEN="+broker, "HANBRIDGE_METER_PORT="+meterPort)
	testbed.AwaitPort(t, broker)
	messages := testbed.LogMessages(t, broker)
	messages.AwaitMessage("hanbridge/house/import_power")
	messages.AwaitMessage("hanbridge/house/status", "online")

	simulated.Stop(syscall.SIGTERM)
	run.AwaitOutput("nothing listens on this port")
	run.Stop(syscall.SIGTERM)
}

// testSimulatedPort tests a bridge that reads the pseudo-terminal of the command simulate. All telegrams must arrive undamaged.
func testSimulatedPort(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	simulated, port := testbed.Simulate(t)
	run := testbed.StartBridge(t, broker.URLVariable(), "HANBRIDGE_METER_PORT="+port)
	messages.AwaitMessage("hanbridge/house/status", "online")
	messages.AwaitMessage("hanbridge/house/telegram_errors", "0")
	run.Stop(syscall.SIGTERM)
	simulated.Stop(syscall.SIGTERM)
}

// testDemo runs the mosquitto_sub command that the demo prints. The command must receive the messages of the demo. A second demo must use another
// port.
func testDemo(t *testing.T) {
	testbed.RequireProgram(t, "mosquitto_sub")
	demo := testbed.Hanbridge(t, nil, "demo")
	testbed.Until(t, "the first value", func() bool {
		return regexp.MustCompile(`(?m)^import_power \d+ W`).MatchString(demo.Output())
	})
	printed := regexp.MustCompile(`(?m)^look +(mosquitto_sub .*)$`).FindStringSubmatch(demo.Output())
	if printed == nil {
		t.Fatalf("the demo does not print a mosquitto_sub command:\n%s", demo.Output())
	}
	sub := testbed.Launch(t, nil, "sh", "-c", printed[1]+" -C 40 -W 60") // ends after 40 messages, or fails after 60 s
	sub.RequireSuccess()
	for _, want := range []string{"hanbridge/status online\n", "hanbridge/demo/status online\n", "hanbridge/demo/import_power "} {
		if !strings.Contains(sub.Output(), want) {
			t.Errorf("%s: got\n%s\nwant %q in it", printed[1], sub.Output(), want)
		}
	}
	second := testbed.Hanbridge(t, nil, "demo")
	second.AwaitOutput("import_power ")
	if strings.Contains(second.Output(), printed[1]+"\n") {
		t.Errorf("two demos print the same port:\n%s", second.Output())
	}
	second.Stop(syscall.SIGINT)
	demo.Stop(syscall.SIGINT)
}

// testDemoAtBroker tests the demo at an external broker. The announced name of the device must contain "simulated".
func testDemoAtBroker(t *testing.T) {
	broker := testbed.StartMosquitto(t)
	messages := broker.LogMessages()
	demo := testbed.Hanbridge(t, []string{broker.URLVariable()}, "demo")
	messages.AwaitMessage("hanbridge/demo/import_power")
	announced := messages.AwaitMessage("homeassistant/device/hanbridge_demo/config")
	var device struct{ Device struct{ Name string } }
	if err := json.Unmarshal([]byte(announced), &device); err != nil {
		t.Fatal(err)
	}
	if want := "Demo household (simulated)"; device.Device.Name != want {
		t.Errorf("name of the device: got %q, want %q", device.Device.Name, want)
	}
	demo.AwaitOutput("mosquitto_sub -h 127.0.0.1 -p " + broker.Port + " ")
	demo.Stop(syscall.SIGINT)
	messages.AwaitMessage("hanbridge/demo/status", "offline")
}

// TestReplayPublishesEachTelegram tests that every telegram of a recording is published once, although the queue of an output is shorter.
func TestReplayPublishesEachTelegram(t *testing.T) {
	t.Parallel()
	const telegramCount = 1000
	recording := filepath.Join(t.TempDir(), "recording")
	testbed.Launch(t, nil, "sh", "-c", `"$0" simulate --family p1-se-aidon --count "$1" >"$2"`, testbed.Program(t), fmt.Sprint(telegramCount), recording).RequireSuccess()
	broker := testbed.StartMosquitto(t, "allow_anonymous true", "max_queued_messages 0") // 0 means no limit, so that Mosquitto drops no message
	messages := broker.LogMessages()
	run := testbed.StartBridge(t, broker.URLVariable(), "HANBRIDGE_METER_PORT=replay:"+recording)
	run.RequireSuccess()
	run.RequireOutputOnce("end of the recording")
	messages.AwaitMessage("hanbridge/house/status", "offline")
	messages.AwaitMessage("hanbridge/status", "offline") // the last message
	for _, name := range []string{"telegram", "import_power", "current_l3", "import_energy"} {
		if got := messages.Count("hanbridge/house/"+name, ""); got != telegramCount {
			t.Errorf("%s: published %d times, want once for each of %d telegrams", name, got, telegramCount)
		}
	}
}
