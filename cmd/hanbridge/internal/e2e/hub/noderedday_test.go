//go:build linux

package hub_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// flowDriver is a program for Node.js. It reads messages with their times as JSON, and passes the messages to the functions of the flow. Then it
// writes the values of the meter, and the text in the page that says since when the energy of the day is counted.
const flowDriver = `
const flows = JSON.parse(require('fs').readFileSync(process.argv[1]));
const memory = { connected: true, bridge: 'online' }; // the context of the flow
const flow = { get: (key) => memory[key], set: (key, value) => { memory[key] = value } };
let now; // the time of a step, which is the current time for the functions
class Clock extends Date { constructor(...at) { super(...(at.length ? at : [now])) } }
const run = (name, msg) => new Function('msg', 'flow', 'Date', flows.find((n) => n.name === name).func)(msg, flow, Clock);
const energy = new RegExp(flows.find((n) => n.name === 'a counter of energy').rules[0].v);
for (const step of JSON.parse(require('fs').readFileSync(0))) {
    now = Date.parse(step.at);
    if (step.topic === 'hanbridge/status') memory.bridge = step.payload;
    const msg = step.topic.startsWith('hanbridge/house/') ? run('keep the newest', step) : null;
    if (msg && energy.test(msg.quantity)) run('gained since midnight', msg);
}
const values = run('all that is known', {});
const house = values.payload.house || {};
const page = run('in words', values).payload;
console.log(JSON.stringify({ house, since: (page.meters[0] || {}).since || '' }));
`

// A flowStep is a message that Node-RED receives. Payload is the payload after the node "mqtt in" has parsed it.
type flowStep struct {
	At      string `json:"at"`
	Topic   string `json:"topic"`
	Payload any    `json:"payload"`
	Retain  bool   `json:"retain"`
}

// runFlow passes messages to the functions of the flow. It returns the values of the meter, and the text in the page that says since when
// the energy of the day is counted.
func runFlow(t *testing.T, steps []flowStep) (house map[string]any, since string) {
	t.Helper()
	testbed.RequireProgram(t, "node")
	input, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", flowDriver, filepath.Join(testbed.ModuleRoot, "deploy/nodered/flows.json"))
	cmd.Env = append(cmd.Environ(), "TZ=Europe/Stockholm")
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	var result struct {
		House map[string]any
		Since string
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return result.House, result.Since
}

// TestNodeREDDay tests the energy of the day in kWh, and the text that says since when it is counted. Steps are separated by "|". A step is
// "DAY TIME COUNTER", with a day of January and a counter in kWh. In "DAY TIME retained COUNTER" the message is retained. Other steps are
// "DAY TIME meter STATUS" and "DAY TIME bridge STATUS".
func TestNodeREDDay(t *testing.T) {
	t.Parallel()
	const unknown = -1 // means that the flow has no energy of the day
	for _, test := range []struct {
		name      string
		steps     string
		want      float64
		wantSince string
	}{
		{"counter every 10 s", "30 23:59:58 100|31 00:00:08 100.01|31 12:00:00 104.126", 4.126, "since midnight"},
		{"counter every hour", "30 23:00:05 100|31 00:00:05 101|31 01:00:05 102.5", 1.5, "since midnight"},
		{"no counter before 10:30", "31 10:30:00 100|31 10:30:10 100.25", .25, "since 10:30, the first reading heard today"},
		{"no counter at midnight", "30 22:00:00 100|31 06:00:00 108", 8, "since Jan 30 22:00, the last reading before midnight"},
		{"no counter for two days", "29 06:00:00 100|31 06:00:00 150", 0, "since 06:00, the first reading heard today"},
		{"no counter today", "30 23:59:58 100|31 06:00:00 meter offline", unknown, ""},
		{"meter replaced", "31 00:00:01 100|31 08:00:00 101|31 09:00:00 3|31 10:00:00 3.5", 1.5, "since midnight"},
		{"no counter at all", "31 10:00:00 meter online", unknown, ""},
		{"retained counter of a meter that is online", "31 10:00:00 retained 100|31 10:00:00 meter online|31 10:00:10 100.5", .5,
			"since 10:00, the first reading heard today"},
		{"retained counter of a meter that is offline", "31 10:00:00 retained 100|31 10:00:00 meter offline|31 11:00:00 900|31 11:00:10 900.5", .5,
			"since 11:00, the first reading heard today"},
		{"retained counter of a killed bridge", "31 10:00:00 retained 100|31 10:00:00 meter online|31 10:00:00 bridge offline|31 11:00:00 900", 0,
			"since 11:00, the first reading heard today"},
		{"Node-RED restarted", "31 00:00:01 100|31 10:00:00 retained 105|31 10:00:10 105.1", 5.1, "since midnight"},
		{"Node-RED restarted while the meter is silent", "30 16:00:00 100|30 23:59:00 retained 100|31 06:00:00 130", 0,
			"since 06:00, the first reading heard today"},
	} {
		t.Run(test.name, func(t *testing.T) {
			house, since := runFlow(t, parseSteps(test.steps))
			got, ok := house["import_energy_today"].(float64)
			if !ok {
				got = unknown
			}
			if got != test.want || since != test.wantSince {
				t.Errorf("got %v kWh %q, want %v kWh %q", got, since, test.want, test.wantSince)
			}
		})
	}
}

// parseSteps parses the steps of TestNodeREDDay.
func parseSteps(text string) []flowStep {
	topics := map[string]string{"meter": "hanbridge/house/status", "bridge": "hanbridge/status", "retained": "hanbridge/house/import_energy"}
	var steps []flowStep
	for line := range strings.SplitSeq(text, "|") {
		fields := strings.Fields(line)
		s := flowStep{At: "2026-01-" + fields[0] + "T" + fields[1] + "+01:00", Topic: "hanbridge/house/import_energy", Retain: fields[2] == "retained"}
		if topic, ok := topics[fields[2]]; ok {
			s.Topic = topic
		}
		payload := fields[len(fields)-1]
		s.Payload = json.Number(payload)
		if strings.HasSuffix(s.Topic, "status") {
			s.Payload = payload
		}
		steps = append(steps, s)
	}
	return steps
}

// TestNodeREDTypes tests that the flow stores numeric quantities as numbers, and other quantities as texts, even if the payload is a number. The
// flow must ignore topics whose payload is an object.
func TestNodeREDTypes(t *testing.T) {
	t.Parallel()
	var steps []flowStep
	add := func(name string, payload any) {
		steps = append(steps, flowStep{At: "2026-01-31T12:00:00+01:00", Topic: "hanbridge/house/" + name, Payload: payload})
	}
	want := map[string]any{"import_energy_today": 0., "export_energy_today": 0.}
	for id := range quantity.Count() {
		name := quantity.ID(id).String()
		add(name, 2)
		want[name] = 2.
		if !quantity.ID(id).Row().Numeric() {
			want[name] = "2"
		}
	}
	for _, name := range []string{discovery.Telegrams, discovery.TelegramErrors, discovery.TelegramInterval, "rejected"} {
		add(name, 2)
		want[name] = 2.
	}
	for _, name := range []string{discovery.LastTelegram, "rejected_reason", "status"} {
		add(name, "online")
		want[name] = "online"
	}
	for _, name := range []string{"telegram", "event", "info"} {
		add(name, map[string]any{"meter": "house"})
	}
	add("removed", 3)
	add("removed", "") // an empty payload deletes the retained message
	house, _ := runFlow(t, steps)
	if diff := cmp.Diff(want, house); diff != "" {
		t.Errorf("values of the meter (-want +got):\n%s", diff)
	}
}
