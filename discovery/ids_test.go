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

// promises lists what both styles say of a meter that sends everything, the ids and topics alone, one per line.
func promises(t *testing.T) []string {
	t.Helper()
	lines := map[string]bool{}
	for topic, payload := range announced(config(discovery.Component), every) {
		add(t, lines, topic, payload)
	}
	for topic, payload := range announced(config(discovery.Device), every) {
		var p struct{ Components map[string]json.RawMessage }
		decode(t, payload, &p)
		if len(p.Components) == 0 {
			t.Fatalf("%s has no components", topic)
		}
		for key, component := range p.Components {
			add(t, lines, topic+" "+key, component)
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

func add(t *testing.T, lines map[string]bool, where string, payload []byte) {
	t.Helper()
	var p struct {
		Unique string `json:"unique_id"`
		Entity string `json:"default_entity_id"`
		State  string `json:"state_topic"`
		Unit   string `json:"unit_of_measurement"`
	}
	decode(t, payload, &p)
	lines[strings.TrimSpace(strings.Join([]string{where, p.Unique, p.Entity, p.State, p.Unit}, " "))] = true
}

func decode(t *testing.T, payload []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(payload, into); err != nil {
		t.Fatal(err)
	}
}
