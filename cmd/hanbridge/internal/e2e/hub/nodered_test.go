//go:build linux && peers

package hub_test

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// TestNodeRED runs the shipped flow and settings in Node-RED. It kills and restarts the broker, the bridge and Node-RED. After each restart
// Node-RED must have the numbers of a new telegram. At the end, the energy of the day must be the increase of the counters since the first telegram.
func TestNodeRED(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "node-red")
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	red := newNodeRED(t, "127.0.0.1", broker.Port)
	testbed.Until(t, "Node-RED is connected", func() bool { return strings.Contains(red.process.Output(), "Connected to broker") })

	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_PUBLISH=realtime")
	run.AwaitOutput("port opened")
	cable.Send()
	firstNumbers := parseNumbers(t, testbed.FirstTelegram(t, "p1-se-aidon"))
	testbed.Until(t, "every number of the first telegram", func() bool { return red.hasNumbers(firstNumbers) })
	red.awaitPage("<b>1627<small> W</small></b> to the grid", "today from the grid</dt><dd>0.00 kWh", ", the first reading heard today")

	h := noderedHouse{t, cable, red, firstNumbers}
	h.requireUpdateAfter(broker, "without a restart", func() {})
	h.requireUpdateAfter(broker, "after a restart of the broker", func() {
		broker.Process.Kill()
		red.awaitPage("not connected to the MQTT broker")
		broker.Start()
	})
	h.requireUpdateAfter(broker, "after a restart of the bridge", func() {
		run.Kill()
		red.awaitPage("offline, last heard at ")
		run = testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_PUBLISH=realtime")
		run.AwaitOutput("port opened")
	})
	red.awaitContextFile()
	h.requireUpdateAfter(broker, "after a restart of Node-RED", func() {
		red.process.Kill()
		red.start()
	})
	h.checkDay()
}

// TestNodeREDBroker tests that the flow uses localhost and 1883 if the variables of the broker's host and port are not set.
func TestNodeREDBroker(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "node-red")
	port := testbed.FreePort(t)
	for _, test := range []struct{ host, port, wantURL string }{
		{"", port, "mqtt://localhost:" + port},
		{"127.0.0.9", "", "mqtt://127.0.0.9:1883"},
	} {
		red := newNodeRED(t, test.host, test.port)
		red.process.AwaitOutput(" broker: " + test.wantURL + "\n") // the log line is "Connected to broker: …" or "Connection failed to broker: …"
		red.process.Kill()
	}
}

// A noderedHouse is the meter "house" and the Node-RED that receives its values.
type noderedHouse struct {
	t            *testing.T
	cable        *testbed.Cable
	red          *nodeRED
	firstNumbers map[string]float64 // the numbers of the first telegram, by quantity
}

// requireUpdateAfter calls restart, and requires that Node-RED then receives the numbers of a new telegram. what describes the restart.
func (h *noderedHouse) requireUpdateAfter(broker *testbed.Mosquitto, what string, restart func()) {
	h.t.Helper()
	restart()
	messages := broker.LogMessages()
	h.cable.SendUntil(time.Second, "new numbers "+what, func() bool {
		numbers, ok := newestTelegram(h.t, messages)
		return ok && slices.Equal(slices.Sorted(maps.Keys(numbers)), slices.Sorted(maps.Keys(h.firstNumbers))) && h.red.hasNumbers(numbers)
	})
}

// newestTelegram returns the numbers of the last published telegram, and false if no telegram was published.
func newestTelegram(t *testing.T, messages *testbed.MessageLog) (map[string]float64, bool) {
	t.Helper()
	text, ok := messages.Last()["hanbridge/house/telegram"]
	if !ok {
		return nil, false
	}
	var telegram struct{ Values map[string]float64 }
	if err := json.Unmarshal([]byte(text), &telegram); err != nil {
		t.Fatalf("telegram: %v: %s", err, text)
	}
	return telegram.Values, true
}

// checkDay requires that the energy of the day is the increase of the counters since the first telegram.
func (h *noderedHouse) checkDay() {
	h.t.Helper()
	today := map[string]float64{} // the energy of the day in kWh, by counter
	for _, counter := range []string{"import_energy", "export_energy"} {
		testbed.Until(h.t, counter+" of the day is the increase of the counter", func() bool {
			house := h.red.meterValues()
			now, hasNow := house[counter].(float64)
			gained, hasGained := house[counter+"_today"].(float64)
			today[counter] = gained
			return hasNow && hasGained && math.Abs(now-h.firstNumbers[counter]-gained) < .0005 // half of the last digit, for rounding
		})
	}
	exported := today["export_energy"]
	if exported < .01 {
		h.t.Errorf("export of the day: got %v kWh, want at least 0.01 kWh", exported)
	}
	page := regexp.MustCompile(`today to the grid</dt><dd>(\d+\.\d\d) kWh`).FindStringSubmatch(h.red.get("/hanbridge"))
	if page == nil {
		h.t.Fatal("the page does not show the export of the day")
	}
	// The page shows two decimals, so the difference is at most 0.005. The rest of .0051 is for the errors of floating-point numbers.
	if shown, err := strconv.ParseFloat(page[1], 64); err != nil || math.Abs(shown-exported) > .0051 {
		h.t.Errorf("export of the day in the page: got %s kWh, want %v kWh", page[1], exported)
	}
}

// parseNumbers parses payloads as numbers.
func parseNumbers(t *testing.T, payloads map[string]string) map[string]float64 {
	t.Helper()
	numbers := map[string]float64{}
	for name, payload := range payloads {
		number, err := strconv.ParseFloat(payload, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		numbers[name] = number
	}
	return numbers
}
