//go:build linux

package hub_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/e2e/testbed"
)

// A flowNode has the members of a node in deploy/nodered/flows.json that the tests read.
type flowNode struct {
	ID, Type, Name               string
	Z                            string     // id of the tab
	X, Y                         int        // position in the tab
	Wires                        [][]string // ids of the next nodes, by output
	Broker, Topic, QoS, Datatype string
	Port, ProtocolVersion        string
	Func, Template               string
	Libs, Links                  []any
	Scope                        []string // ids of the nodes that a status node observes
	Env                          []struct{ Name, Value string }
}

// coreTypes are the node types that the flow is allowed to use. Node-RED contains these types. They do not run programs or read files.
var coreTypes = []string{
	"tab", "comment", "mqtt-broker", "mqtt in", "function", "switch", "change", "status", "http in", "http response", "template", "link out", "debug",
}

// TestNodeREDFlow tests that the shipped flow needs no installation, contains no secret, and has no unconnected node.
func TestNodeREDFlow(t *testing.T) {
	t.Parallel()
	text := testbed.ReadFile(t, "deploy/nodered/flows.json")
	nodes := readFlow(t, text)
	positions := map[[2]int]string{}
	for id, n := range nodes {
		if !slices.Contains(coreTypes, n.Type) {
			t.Errorf("node %q: got type %q, want one of %q", id, n.Type, coreTypes)
		}
		if n.Type != "tab" && nodes[n.Z].Type != "tab" {
			t.Errorf("node %q: z is %q, want the id of a tab", id, n.Z)
		}
		for _, other := range slices.Concat(append(n.Wires, n.Scope)...) {
			if _, ok := nodes[other]; !ok {
				t.Errorf("node %q refers to node %q, which does not exist", id, other)
			}
		}
		if len(n.Libs)+len(n.Links) > 0 || strings.Contains(n.Func, "require") {
			t.Errorf("node %q needs something from outside the flow: %+v", id, n)
		}
		if n.Wires == nil {
			continue // a node without wires has no position
		}
		if other, isUsed := positions[[2]int{n.X, n.Y}]; isUsed || n.X <= 0 || n.Y <= 0 {
			t.Errorf("node %q is at %d,%d, which is outside the tab or the position of node %q", id, n.X, n.Y, other)
		}
		positions[[2]int{n.X, n.Y}] = id
	}
	if found := regexp.MustCompile(`"(credentials|user|password|cert|key)"|\b(src|href)=\\"\w+:`).FindString(text); found != "" {
		t.Errorf("the flow contains %s, want no secret and no address of a file on the network", found)
	}
	checkFlowBroker(t, nodes)
}

// checkFlowBroker requires that the flow subscribes to all topics of all meters, at the broker in MQTT_HOST and MQTT_PORT.
func checkFlowBroker(t *testing.T, nodes map[string]flowNode) {
	t.Helper()
	topics := []string{}
	for id, n := range nodes {
		if n.Type != "mqtt in" {
			continue
		}
		topics = append(topics, n.Topic)
		if n.QoS != "1" || n.Datatype != "auto-detect" {
			t.Errorf("node %q: got QoS %s and datatype %s, want QoS 1 and auto-detect, which parses numbers", id, n.QoS, n.Datatype)
		}
		// Only MQTT 3.1.1 (version 4) distinguishes retained messages from new messages in msg.retain.
		if b := nodes[n.Broker]; b.Broker != "${MQTT_HOST}" || b.Port != "${MQTT_PORT}" || b.ProtocolVersion != "4" {
			t.Errorf("node %q: got broker %+v, want MQTT_HOST, MQTT_PORT and version 4", id, b)
		}
		env := nodes[n.Z].Env
		for i, name := range []string{"MQTT_HOST", "MQTT_PORT"} {
			if len(env) != 2 || env[i].Name != name || !strings.Contains(env[i].Value, `"$parent.`+name+`"`) {
				t.Errorf("got environment %+v of the tab, want a default for %s", env, name)
			}
		}
	}
	slices.Sort(topics)
	if want := []string{"hanbridge/+/+", "hanbridge/status"}; !slices.Equal(topics, want) {
		t.Errorf("topics: got %q, want %q", topics, want)
	}
}

// readFlow parses the flow and returns its nodes by id.
func readFlow(t *testing.T, text string) map[string]flowNode {
	t.Helper()
	var list []flowNode
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("deploy/nodered/flows.json: %v", err)
	}
	nodes := map[string]flowNode{}
	for _, n := range list {
		if _, duplicate := nodes[n.ID]; duplicate || n.ID == "" {
			t.Errorf("id %q is empty or not unique", n.ID)
		}
		nodes[n.ID] = n
	}
	return nodes
}
