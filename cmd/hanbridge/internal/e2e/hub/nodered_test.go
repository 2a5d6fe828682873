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

// TestNodeRED runs the shipped flow and settings in a real Node-RED, beside a real Mosquitto and a meter of one telegram a
// second. Each of the three is killed and started again.
func TestNodeRED(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "node-red")
	broker, cable := testbed.StartMosquitto(t), testbed.PlugCable(t, "p1-se-aidon")
	red := newNodeRED(t, "127.0.0.1", broker.Port)
	testbed.Until(t, "Node-RED is connected", func() bool { return strings.Contains(red.process.Output(), "Connected to broker") })

	run := testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_PUBLISH=realtime")
	run.AwaitOutput("port opened")
	cable.Send()
	first := wantNumbers(t, testbed.FirstTelegram(t, "p1-se-aidon"))
	testbed.Until(t, "every number of the first telegram", func() bool { return red.has(first) })
	red.shows("<b>1627<small> W</small></b> to the grid", "today from the grid</dt><dd>0.00 kWh", ", the first reading heard today")

	h := noderedHouse{t, cable, red, first}
	h.follows(broker, "telegrams of a second", func() {})
	h.follows(broker, "broker", func() {
		broker.Process.Kill()
		red.shows("not connected to the MQTT broker")
		broker.Start()
	})
	h.follows(broker, "bridge", func() {
		run.Kill()
		red.shows("offline, last heard at ")
		run = testbed.StartBridge(t, broker.URLVariable(), cable.PortVariable(), "HANBRIDGE_PUBLISH=realtime")
		run.AwaitOutput("port opened")
	})
	red.keepsContext()
	h.follows(broker, "Node-RED", func() {
		red.process.Kill()
		red.start()
	})
	h.checkDay()
}

// TestNodeREDBroker tests the flow without each of its variables: a person who imports the flow has set none.
func TestNodeREDBroker(t *testing.T) {
	t.Parallel()
	testbed.RequireProgram(t, "node-red")
	port := testbed.FreePort(t)
	for _, test := range []struct{ host, port, want string }{
		{"", port, "mqtt://localhost:" + port},
		{"127.0.0.9", "", "mqtt://127.0.0.9:1883"},
	} {
		red := newNodeRED(t, test.host, test.port)
		red.process.AwaitOutput(" broker: " + test.want + "\n") // Connected to, or Connection failed to
		red.process.Kill()
	}
}

// A noderedHouse is a meter whose values reach a Node-RED.
type noderedHouse struct {
	t     *testing.T
	cable *testbed.Cable
	red   *nodeRED
	first map[string]float64 // what the meter said first
}

// follows restarts something, and requires that Node-RED then has the numbers of a telegram that was sent after the restart.
func (h *noderedHouse) follows(broker *testbed.Mosquitto, what string, restart func()) {
	h.t.Helper()
	restart()
	messages := broker.LogMessages()
	h.cable.SendUntil(time.Second, "fresh numbers after a restart: "+what, func() bool {
		numbers, ok := newestTelegram(h.t, messages)
		return ok && slices.Equal(slices.Sorted(maps.Keys(numbers)), slices.Sorted(maps.Keys(h.first))) && h.red.has(numbers)
	})
}

// newestTelegram returns the numbers of the last telegram that was published.
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

// checkDay requires that the day's energy is the increase of the counters since the first telegram, in spite of restarts.
func (h *noderedHouse) checkDay() {
	h.t.Helper()
	var gained float64
	for _, counter := range []string{"import_energy", "export_energy"} {
		testbed.Until(h.t, counter+" of the day is what the counter has gained", func() bool {
			house := h.red.house()
			now, isNumber := house[counter].(float64)
			today, isToday := house[counter+"_today"].(float64)
			gained = today
			return isNumber && isToday && math.Abs(now-h.first[counter]-today) < .0005
		})
	}
	if gained < .01 {
		h.t.Errorf("export of the day: got %v kWh, want what several telegrams have added", gained)
	}
	page := regexp.MustCompile(`today to the grid</dt><dd>(\d+\.\d\d) kWh`).FindStringSubmatch(h.red.get("/hanbridge"))
	if page == nil {
		h.t.Fatal("the page does not show the export of the day")
	}
	if shown := wantNumbers(h.t, map[string]string{"page": page[1]})["page"]; math.Abs(shown-gained) > .0051 {
		h.t.Errorf("export of the day on the page: got %v kWh, want %v", shown, gained)
	}
}

// wantNumbers parses payloads as numbers.
func wantNumbers(t *testing.T, payloads map[string]string) map[string]float64 {
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
