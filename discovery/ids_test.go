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

// meterWithEverything sends all quantities.
var meterWithEverything = func() discovery.Meter {
	m := discovery.Meter{ID: "house"}
	for i := range quantity.Rows() {
		m.Quantities = append(m.Quantities, discovery.Quantity{ID: quantity.ID(i), Decimals: decimals(quantity.ID(i))})
	}
	return m
}()

const idsFile = "testdata/ids.txt"

// TestIDsNeverChange tests that ids, topics and units do not change, because dashboards and histories of users depend on them. The file idsFile
// has all of them, and must only grow. The flag -update adds new lines to the file, but does not remove lines.
func TestIDsNeverChange(t *testing.T) {
	current := currentIDs(t)
	text, err := os.ReadFile(idsFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	fileLines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if *update {
		fileLines = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(append(fileLines, current...)))), func(s string) bool { return s == "" })
		if err := os.WriteFile(idsFile, []byte(strings.Join(fileLines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range fileLines {
		if !slices.Contains(current, line) {
			t.Errorf("%s is in %s, but is not announced any more", line, idsFile)
		}
	}
	for _, line := range current {
		if !slices.Contains(fileLines, line) {
			t.Errorf("%s is not in %s (the flag -update adds it)", line, idsFile)
		}
	}
}

// currentIDs returns the lines that idsFile must have: the ids, topics and units of a meter with all quantities, in both styles.
func currentIDs(t *testing.T) []string {
	t.Helper()
	lines := map[string]bool{"birth " + discovery.StatusTopic: true}
	withHyphen := discovery.Meter{ID: "summer-house", Quantities: named("import_power")}
	for _, m := range []discovery.Meter{meterWithEverything, withHyphen} {
		for topic, payload := range announced(config(discovery.Component), m) {
			addIDs(t, lines, topic, payload)
		}
		for topic, payload := range announced(config(discovery.Device), m) {
			var p struct{ Components map[string]json.RawMessage }
			decode(t, payload, &p)
			if len(p.Components) == 0 {
				t.Fatalf("%s has no components", topic)
			}
			addIDs(t, lines, "", payload)
			for key, component := range p.Components {
				addIDs(t, lines, topic+" "+key, component)
			}
		}
	}
	for _, row := range quantity.Rows() {
		for _, unit := range row.Units {
			lines[joinNonEmpty("unit", row.Name, unit.Symbol, unit.DeviceClass, row.StateClass)] = true
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

// addIDs adds the ids, topics and units of a message, or of one of its components. For an entity, lineStart is the discovery topic, and
// in Device style also the key of the entity. For the message of a device, lineStart is "".
func addIDs(t *testing.T, lines map[string]bool, lineStart string, payload []byte) {
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
	if lineStart != "" {
		lines[joinNonEmpty(lineStart, p.Unique, p.Entity, p.State, p.Unit)] = true
	}
	if p.On != "" {
		lines[joinNonEmpty("states", p.State, p.On, p.Off)] = true
	}
	if len(p.Device.Identifiers) > 0 {
		lines[joinNonEmpty("device", strings.Join(p.Device.Identifiers, " "), p.Device.Via)] = true
	}
	if len(p.Availability) > 0 {
		line := "availability"
		for _, a := range p.Availability {
			line = joinNonEmpty(line, a.Topic)
		}
		lines[joinNonEmpty(line, p.Mode)] = true
	}
}

// joinNonEmpty joins the texts that are not empty, with spaces.
func joinNonEmpty(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

func decode(t *testing.T, payload []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(payload, into); err != nil {
		t.Fatal(err)
	}
}
