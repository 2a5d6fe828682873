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

// driver runs the functions of the flow one after the other, at times that the test chooses. It reads messages and
// writes what is known after the last of them, and how the page says since when.
const driver = `
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
const known = run('all that is known', {});
const house = known.payload.house || {};
const words = run('in words', known).payload;
console.log(JSON.stringify({ house, since: (words.meters[0] || {}).since || '' }));
`

// A flowStep is a message that Node-RED receives, with the payload as "mqtt in" makes it.
type flowStep struct {
	At      string `json:"at"`
	Topic   string `json:"topic"`
	Payload any    `json:"payload"`
	Retain  bool   `json:"retain"`
}

// drive runs the steps through the functions of the flow.
func drive(t *testing.T, steps []flowStep) (house map[string]any, since string) {
	t.Helper()
	testbed.RequireProgram(t, "node")
	input, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-e", driver, filepath.Join(testbed.ModuleRoot, "deploy/nodered/flows.json"))
	cmd.Env = append(cmd.Environ(), "TZ=Europe/Stockholm")
	var complaint strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &complaint)
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

// TestNodeREDDay lets days pass. A step is "day time what": a counter's number, "kept" before one that the broker had
// kept, or the status of the meter or of the bridge.
func TestNodeREDDay(t *testing.T) {
	t.Parallel()
	const unheard = -1
	for _, test := range []struct {
		name  string
		steps string
		want  float64
		since string
	}{
		{"counters of every 10 s", "30 23:59:58 100|31 00:00:08 100.01|31 12:00:00 104.126", 4.126, "since midnight"},
		{"counters of every hour", "30 23:00:05 100|31 00:00:05 101|31 01:00:05 102.5", 1.5, "since midnight"},
		{"begun in the day", "31 10:30:00 100|31 10:30:10 100.25", .25, "since 10:30, the first reading heard today"},
		{"silent over midnight", "30 22:00:00 100|31 06:00:00 108", 8, "since Jan 30 22:00, the last reading before midnight"},
		{"silent for two days", "29 06:00:00 100|31 06:00:00 150", 0, "since 06:00, the first reading heard today"},
		{"nothing heard today", "30 23:59:58 100|31 06:00:00 meter offline", unheard, ""},
		{"another meter", "31 00:00:01 100|31 08:00:00 101|31 09:00:00 3|31 10:00:00 3.5", 1.5, "since midnight"},
		{"no counter", "31 10:00:00 meter online", unheard, ""},
		{"kept by the broker while the meter speaks", "31 10:00:00 kept 100|31 10:00:00 meter online|31 10:00:10 100.5", .5,
			"since 10:00, the first reading heard today"},
		{"kept by the broker since long ago", "31 10:00:00 kept 100|31 10:00:00 meter offline|31 11:00:00 900|31 11:00:10 900.5", .5,
			"since 11:00, the first reading heard today"},
		{"kept from a bridge that was killed", "31 10:00:00 kept 100|31 10:00:00 meter online|31 10:00:00 bridge offline|31 11:00:00 900", 0,
			"since 11:00, the first reading heard today"},
		{"Node-RED restarted", "31 00:00:01 100|31 10:00:00 kept 105|31 10:00:10 105.1", 5.1, "since midnight"},
		{"Node-RED restarted while the meter is silent", "30 16:00:00 100|30 23:59:00 kept 100|31 06:00:00 130", 0,
			"since 06:00, the first reading heard today"},
	} {
		t.Run(test.name, func(t *testing.T) {
			house, since := drive(t, daySteps(test.steps))
			got, heard := house["import_energy_today"].(float64)
			if !heard {
				got = unheard
			}
			if got != test.want || since != test.since {
				t.Errorf("got %v kWh %q, want %v kWh %q", got, since, test.want, test.since)
			}
		})
	}
}

func daySteps(text string) []flowStep {
	topics := map[string]string{"meter": "hanbridge/house/status", "bridge": "hanbridge/status", "kept": "hanbridge/house/import_energy"}
	var steps []flowStep
	for line := range strings.SplitSeq(text, "|") {
		words := strings.Fields(line)
		s := flowStep{At: "2026-01-" + words[0] + "T" + words[1] + "+01:00", Topic: "hanbridge/house/import_energy", Retain: words[2] == "kept"}
		if topic, ok := topics[words[2]]; ok {
			s.Topic = topic
		}
		last := words[len(words)-1]
		if s.Payload = any(json.Number(last)); strings.HasSuffix(s.Topic, "status") {
			s.Payload = last
		}
		steps = append(steps, s)
	}
	return steps
}

// TestNodeREDTypes gives every topic a payload of digits: numbers stay numbers, texts become texts, all else is passed over.
func TestNodeREDTypes(t *testing.T) {
	t.Parallel()
	var steps []flowStep
	say := func(name string, payload any) {
		steps = append(steps, flowStep{At: "2026-01-31T12:00:00+01:00", Topic: "hanbridge/house/" + name, Payload: payload})
	}
	want := map[string]any{"import_energy_today": 0., "export_energy_today": 0.}
	for id := range quantity.Count() {
		name := quantity.ID(id).String()
		say(name, 2)
		want[name] = 2.
		if !quantity.ID(id).Row().Numeric() {
			want[name] = "2"
		}
	}
	for _, name := range []string{discovery.Telegrams, discovery.TelegramErrors, discovery.TelegramInterval, "rejected"} {
		say(name, 2)
		want[name] = 2.
	}
	for _, name := range []string{discovery.LastTelegram, "rejected_reason", "status"} {
		say(name, "online")
		want[name] = "online"
	}
	for _, name := range []string{"telegram", "event", "info"} {
		say(name, map[string]any{"meter": "house"})
	}
	say("gone", 3)
	say("gone", "") // taken back
	house, _ := drive(t, steps)
	if diff := cmp.Diff(want, house); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
}
