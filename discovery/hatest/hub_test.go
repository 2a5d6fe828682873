package hatest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestHub checks how the hub handles updates, removals and changes of topic, each from an empty hub. "device" and "single" announce
// import_power; the other messages are variants of them.
func TestHub(t *testing.T) {
	const device = "homeassistant/device/hanbridge_house/config"
	single := topicOf("house", "import_power")
	whole := func(component string) string {
		return `{"device":{"identifiers":["hanbridge_house"],"name":"Meter"},"origin":{"name":"hanbridge"},"components":{` + component + `}}`
	}
	component := func(key, unique string) string {
		return fmt.Sprintf(`"%s":{"platform":"sensor","name":"Q","unique_id":"hanbridge_house_%s","state_topic":"hanbridge/house/q",`+
			`"state_class":"measurement"}`, key, unique)
	}
	power, gas := component("import_power", "import_power"), component("gas", "gas")
	messages := map[string][2]string{
		"single":           {single, sensor("house", "import_power", "power", "measurement", "W", "")},
		"single gone":      {single, ""},
		"single moves":     {single, `{"migrate_discovery":true}`},
		"device":           {device, whole(power)},
		"device, gas":      {device, whole(gas)},
		"both":             {device, whole(power + "," + gas)},
		"gas removed":      {device, whole(power + `,"gas":{"platform":"sensor"}`)},
		"device gone":      {device, ""},
		"device moves":     {device, `{"migrate_discovery":true}`},
		"damaged":          {device, `{"device"`},
		"via":              {topicOf("house", "gas"), sensor("house", "gas", "gas", "total_increasing", "m³", `,"via_device":"hanbridge_bridge"`)},
		"another prefix":   {"second/device/hanbridge_house/config", whole(power)},
		"deeper than ours": {"homeassistant/x/device/hanbridge_house/config", whole(power)},
	}
	for _, row := range []struct {
		name, heard string
		want        string // entities with their Created number, in brackets if no topic announces them
		complaints  int
	}{
		{"one", "device", "import_power 1", 0},
		{"again", "device; device", "import_power 1", 0},
		{"left out stays", "both; device", "gas 1 import_power 2", 0},
		{"left out lingers after a restart", "both; device; restart", "(gas 1) import_power 2", 0},
		{"removed", "both; gas removed; device; restart", "import_power 2", 0},
		{"removed and made anew", "both; gas removed; both", "gas 3 import_power 2", 0},
		{"all gone", "both; device gone", "", 0},
		{"gone while the hub was down", "device; device gone quietly; restart", "(import_power 1)", 0},
		{"single gone", "single; single gone", "", 0},
		{"the first wins", "single; device", "import_power 1", 1},
		{"the first wins, also against removal", "single; device; device gone", "import_power 1", 1},
		{"first after a restart: single", "device; single; restart", "import_power 1", 2},
		{"moved", "single; single moves; device; single gone", "import_power 1", 0},
		{"moved back", "device; device moves; single; device gone", "import_power 1", 0},
		{"moved, restarted between", "single; single moves; restart; device; restart; single gone; restart", "import_power 1", 0},
		{"let go, and nobody takes over", "single; single moves; single gone", "(import_power 1)", 0},
		{"damaged", "device; damaged", "import_power 1", 1},
		{"via_device unknown", "via", "gas 1", 1},
		{"another prefix", "another prefix; deeper than ours", "", 0},
	} {
		hub, retained := hatest.NewHub("homeassistant"), map[string][]byte{}
		for _, name := range strings.Split(row.heard, "; ") {
			name, quietly := strings.CutSuffix(name, " quietly")
			if name == "restart" {
				hub.Restart(retained)
				continue
			}
			m, ok := messages[name]
			if !ok {
				t.Fatalf("%s: no message %q", row.name, name)
			}
			retained[m[0]] = []byte(m[1])
			if !quietly {
				hub.Receive(m[0], []byte(m[1]))
			}
		}
		if got := described(hub); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
		if len(hub.Warnings) != row.complaints {
			t.Errorf("%s: complaints %q, want %d", row.name, hub.Warnings, row.complaints)
		}
	}
}

func described(hub *hatest.Hub) string {
	var all []string
	for _, e := range hub.Entities() {
		s := fmt.Sprintf("%s %d", strings.TrimPrefix(e.UniqueID, "hanbridge_house_"), e.Created)
		if e.Topic == "" {
			s = "(" + s + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// TestHubIDs checks that an entity id that is taken gets a number, and that a unique id can be used only once.
func TestHubIDs(t *testing.T) {
	hub := hatest.NewHub("homeassistant")
	for _, meter := range []string{"house", "barn", "shed"} {
		hub.Receive(topicOf(meter, "gas"), []byte(withID(power(meter, "gas"), "sensor.gas")))
	}
	var got []string
	for _, e := range hub.Entities() {
		got = append(got, e.ID)
	}
	if want := "sensor.gas_2 sensor.gas sensor.gas_3"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	hub.Receive(topicOf("house", "long_gas"), []byte(power("house", "long_gas")))
	hub.Receive(topicOf("house_long", "gas"), []byte(power("house_long", "gas")))
	if len(hub.Entities()) != 4 || len(hub.Warnings) != 1 || !strings.Contains(hub.Warnings[0], "is taken") {
		t.Errorf("one unique_id of two meters: got %v, complaints %q", hub.Entities(), hub.Warnings)
	}
}
