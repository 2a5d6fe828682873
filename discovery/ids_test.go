package discovery_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// every is a meter that sends all there is.
var every = func() discovery.Meter {
	m := discovery.Meter{ID: "house"}
	for i := range quantity.Rows() {
		m.Quantities = append(m.Quantities, discovery.Quantity{ID: quantity.ID(i), Decimals: decimals(quantity.ID(i))})
	}
	return m
}()

const idsFile = "testdata/ids.txt"

// TestPromisesStay keeps what people's dashboards and histories hang on. The file may only grow: -update adds to it, and
// what has gone from the code is a fault even then.
func TestPromisesStay(t *testing.T) {
	made := promises(t)
	text, err := os.ReadFile(idsFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	kept := strings.Split(strings.TrimSpace(string(text)), "\n")
	if *update {
		kept = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(append(kept, made...)))), func(s string) bool { return s == "" })
		if err := os.WriteFile(idsFile, []byte(strings.Join(kept, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range kept {
		if !slices.Contains(made, id) {
			t.Errorf("broken promise: %s", id)
		}
	}
	for _, id := range made {
		if !slices.Contains(kept, id) {
			t.Errorf("%s is not in %s (-update adds it)", id, idsFile)
		}
	}
}

// promises lists what both styles say of a meter that sends everything, ids, topics and units alone, one promise a line.
func promises(t *testing.T) []string {
	t.Helper()
	lines := map[string]bool{"birth " + discovery.StatusTopic: true}
	hyphen := discovery.Meter{ID: "summer-house", Quantities: named("import_power")}
	for _, m := range []discovery.Meter{every, hyphen} {
		for topic, payload := range announced(config(discovery.Component), m) {
			add(t, lines, topic, payload)
		}
		for topic, payload := range announced(config(discovery.Device), m) {
			var p struct{ Components map[string]json.RawMessage }
			decode(t, payload, &p)
			if len(p.Components) == 0 {
				t.Fatalf("%s has no components", topic)
			}
			add(t, lines, "", payload)
			for key, component := range p.Components {
				add(t, lines, topic+" "+key, component)
			}
		}
	}
	for _, row := range quantity.Rows() {
		for _, m := range row.Units {
			lines[words("unit", row.Name, m.Symbol, m.DeviceClass, row.StateClass)] = true
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

// add takes down what a message, or a component of one, promises. A message that is no entity itself has no place.
func add(t *testing.T, lines map[string]bool, place string, payload []byte) {
	t.Helper()
	var p struct {
		Unique       string `json:"unique_id"`
		Entity       string `json:"default_entity_id"`
		State        string `json:"state_topic"`
		Unit         string `json:"unit_of_measurement"`
		On           string `json:"payload_on"`
		Off          string `json:"payload_off"`
		Mode         string `json:"availability_mode"`
		Availability []struct{ Topic string }
		Device       struct {
			Identifiers []string
			Via         string `json:"via_device"`
		}
	}
	decode(t, payload, &p)
	if place != "" {
		lines[words(place, p.Unique, p.Entity, p.State, p.Unit)] = true
	}
	if p.On != "" {
		lines[words("states", p.State, p.On, p.Off)] = true
	}
	if len(p.Device.Identifiers) > 0 {
		lines[words("device", strings.Join(p.Device.Identifiers, " "), p.Device.Via)] = true
	}
	if len(p.Availability) > 0 {
		line := "availability"
		for _, a := range p.Availability {
			line = words(line, a.Topic)
		}
		lines[words(line, p.Mode)] = true
	}
}

// words joins those that are not empty.
func words(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

func decode(t *testing.T, payload []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(payload, into); err != nil {
		t.Fatal(err)
	}
}
