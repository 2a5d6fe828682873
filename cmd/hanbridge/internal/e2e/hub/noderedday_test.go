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

// flowDriver is a program for Node.js that passes messages to the functions of the flow, at times that the test chooses. It reads the messages
// as JSON. It writes the values of the meter after the last message, and the text of the page that says since when energy is counted.
const flowDriver = `
const flows = JSON.parse(require('fs').readFileSync(process.argv[1]));
const memory = { connected: true, bridge: 'online' };
const flow = { get: (key) => memory[key], set: (key, value) => { memory[key] = value } };
let now;
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

// A flowStep is a message that Node-RED receives, with the payload as "mqtt in" makes it.
type flowStep struct {
	At      string `json:"at"`
	Topic   string `json:"topic"`
	Payload any    `json:"payload"`
	Retain  bool   `json:"retain"`
}

// runFlow passes messages to the functions of the flow. It returns the values of the meter, and the text about the start of the energy count.
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

// TestNodeREDDay tests the energy of the day, in kWh, and the text about its start. A step is "day time counter". "retained" stands before a
// counter that the broker had retained; "meter" or "bridge" stands before a status.
func TestNodeREDDay(t *testing.T) {
	t.Parallel()
	const unknown = -1 // no energy of the day
	for _, test := range []struct {
		name  string
		steps string
		want  float64
		since string
	}{
		{"counters of every 10 s", "30 23:59:58 100|31 00:00:08 100.01|31 12:00:00 104.126", 4.126, "since midnight"},
		{"counters of every hour", "30 23:00:05 100|31 00:00:05 101|31 01:00:05 102.5", 1.5, "since midnight"},
		{"first reading in the day", "31 10:30:00 100|31 10:30:10 100.25", .25, "since 10:30, the first reading heard today"},
		{"silent over midnight", "30 22:00:00 100|31 06:00:00 108", 8, "since Jan 30 22:00, the last reading before midnight"},
		{"silent for two days", "29 06:00:00 100|31 06:00:00 150", 0, "since 06:00, the first reading heard today"},
		{"no reading today", "30 23:59:58 100|31 06:00:00 meter offline", unknown, ""},
		{"another meter", "31 00:00:01 100|31 08:00:00 101|31 09:00:00 3|31 10:00:00 3.5", 1.5, "since midnight"},
		{"no counter", "31 10:00:00 meter online", unknown, ""},
		{"retained by the broker while the meter is online", "31 10:00:00 retained 100|31 10:00:00 meter online|31 10:00:10 100.5", .5,
			"since 10:00, the first reading heard today"},
		{"retained by the broker since long ago", "31 10:00:00 retained 100|31 10:00:00 meter offline|31 11:00:00 900|31 11:00:10 900.5", .5,
			"since 11:00, the first reading heard today"},
		{"retained from a bridge that was killed", "31 10:00:00 retained 100|31 10:00:00 meter online|31 10:00:00 bridge offline|31 11:00:00 900", 0,
			"since 11:00, the first reading heard today"},
		{"Node-RED restarted", "31 00:00:01 100|31 10:00:00 retained 105|31 10:00:10 105.1", 5.1, "since midnight"},
		{"Node-RED restarted while the meter is silent", "30 16:00:00 100|30 23:59:00 retained 100|31 06:00:00 130", 0,
			"since 06:00, the first reading heard today"},
	} {
		t.Run(test.name, func(t *testing.T) {
			house, since := runFlow(t, parseSteps(test.steps))
			got, isKnown := house["import_energy_today"].(float64)
			if !isKnown {
				got = unknown
			}
			if got != test.want || since != test.since {
				t.Errorf("got %v kWh %q, want %v kWh %q", got, since, test.want, test.since)
			}
		})
	}
}

// parseSteps returns the messages of the steps in a text, which are separated by "|".
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
		if s.Payload = any(json.Number(payload)); strings.HasSuffix(s.Topic, "status") {
			s.Payload = payload
		}
		steps = append(steps, s)
	}
	return steps
}

// TestNodeREDTypes sends a payload of digits to every topic. The flow must store numeric quantities as numbers, the other quantities as texts,
// and ignore all other topics.
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
	add("gone", 3)
	add("gone", "") // taken back
	house, _ := runFlow(t, steps)
	if diff := cmp.Diff(want, house); diff != "" {
		t.Errorf("values of the meter (-want +got):\n%s", diff)
	}
}
