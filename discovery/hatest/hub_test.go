package hatest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// TestHub tests which entities a hub has after updates, removals and changes of topic. Each row has the names of the messages that the hub
// receives; the map messages has their topics and payloads. "device" announces import_power in Device style, "single" in Component style. "restart"
// restarts the hub. A message with "missed" after its name arrives at the broker while the hub is down.
func TestHub(t *testing.T) {
	const device = "homeassistant/device/hanbridge_house/config"
	single := topicOf("house", "import_power")
	devicePayload := func(component string) string {
		return `{"device":{"identifiers":["hanbridge_house"],"name":"Meter"},"origin":{"name":"hanbridge"},"components":{` + component + `}}`
	}
	component := func(key string) string {
		return fmt.Sprintf(`"%s":{"platform":"sensor","name":"Q","unique_id":"hanbridge_house_%s","state_topic":"hanbridge/house/q",`+
			`"state_class":"measurement"}`, key, key)
	}
	power, gas := component("import_power"), component("gas")
	messages := map[string][2]string{ // topic and payload
		"single":             {single, sensor("house", "import_power", "power", "measurement", "W", "")},
		"single cleared":     {single, ""},
		"single released":    {single, `{"migrate_discovery":true}`},
		"device":             {device, devicePayload(power)},
		"both":               {device, devicePayload(power + "," + gas)},
		"gas removed":        {device, devicePayload(power + `,"gas":{"platform":"sensor"}`)},
		"device cleared":     {device, ""},
		"device released":    {device, `{"migrate_discovery":true}`},
		"damaged":            {device, `{"device"`},
		"via":                {topicOf("house", "gas"), sensor("house", "gas", "gas", "total_increasing", "m³", `,"via_device":"hanbridge_bridge"`)},
		"another prefix":     {"second/device/hanbridge_house/config", devicePayload(power)},
		"one level too deep": {"homeassistant/x/device/hanbridge_house/config", devicePayload(power)},
	}
	for _, row := range []struct {
		name, received string
		want           string // the result of describe
		wantWarnings   int    // the number of warnings of the hub
	}{
		{"one announcement", "device", "import_power 1", 0},
		{"the same announcement again", "device; device", "import_power 1", 0},
		{"a component that is left out is not removed", "both; device", "gas 1 import_power 2", 0},
		{"a component that is left out is unavailable after a restart", "both; device; restart", "(gas 1) import_power 2", 0},
		{"a component is removed", "both; gas removed; device; restart", "import_power 2", 0},
		{"a component is removed and created again", "both; gas removed; both", "gas 3 import_power 2", 0},
		{"a device is removed", "both; device cleared", "", 0},
		{"a device is removed while the hub is down", "device; device cleared missed; restart", "(import_power 1)", 0},
		{"an entity is removed", "single; single cleared", "", 0},
		{"the first topic owns the entity", "single; device", "import_power 1", 1},
		{"another topic does not remove the entity", "single; device; device cleared", "import_power 1", 1},
		{"the topic in Component style is received first after a restart", "device; single; restart", "import_power 1", 2},
		{"changed to Device style", "single; single released; device; single cleared", "import_power 1", 0},
		{"changed to Component style", "device; device released; single; device cleared", "import_power 1", 0},
		{"changed to Device style with restarts between", "single; single released; restart; device; restart; single cleared; restart", "import_power 1", 0},
		{"released, and not announced again", "single; single released; single cleared", "(import_power 1)", 0},
		{"a damaged message", "device; damaged", "import_power 1", 1},
		{"an unknown via_device", "via", "gas 1", 1},
		{"topics that the hub does not subscribe to", "another prefix; one level too deep", "", 0},
	} {
		hub, retained := hatest.NewHub("homeassistant"), map[string][]byte{}
		for _, name := range strings.Split(row.received, "; ") {
			name, missed := strings.CutSuffix(name, " missed")
			if name == "restart" {
				hub.Restart(retained)
				continue
			}
			m, ok := messages[name]
			if !ok {
				t.Fatalf("%s: no message %q", row.name, name)
			}
			retained[m[0]] = []byte(m[1])
			if !missed {
				hub.Receive(m[0], []byte(m[1]))
			}
		}
		if got := describe(hub); got != row.want {
			t.Errorf("%s: got entities %q, want %q", row.name, got, row.want)
		}
		if len(hub.Warnings) != row.wantWarnings {
			t.Errorf("%s: got warnings %q, want %d", row.name, hub.Warnings, row.wantWarnings)
		}
	}
}

// describe returns the keys of the entities of a hub with their Created number, such as "gas 1 import_power 2". An entity that no topic announces
// is in brackets.
func describe(hub *hatest.Hub) string {
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

// TestHubIDs tests that an entity id gets a number if another entity has the same id, and that no two entities can have the same unique id.
func TestHubIDs(t *testing.T) {
	hub := hatest.NewHub("homeassistant")
	for _, meter := range []string{"house", "barn", "shed"} {
		hub.Receive(topicOf(meter, "gas"), []byte(withID(power(meter, "gas"), "sensor.gas")))
	}
	var got []string
	for _, e := range hub.Entities() {
		got = append(got, e.ID)
	}
	if want := "sensor.gas_2 sensor.gas sensor.gas_3"; strings.Join(got, " ") != want { // of barn, house and shed; house was the first
		t.Errorf("got entity ids %v, want %s", got, want)
	}
	// The next two entities have the unique id hanbridge_house_long_gas.
	hub.Receive(topicOf("house", "long_gas"), []byte(power("house", "long_gas")))
	hub.Receive(topicOf("house_long", "gas"), []byte(power("house_long", "gas")))
	if len(hub.Entities()) != 4 || len(hub.Warnings) != 1 || !strings.Contains(hub.Warnings[0], "is taken") {
		t.Errorf("same unique_id of two meters: got entities %v and warnings %q, want 4 entities and 1 warning", hub.Entities(), hub.Warnings)
	}
}
