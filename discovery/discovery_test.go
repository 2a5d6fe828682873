package discovery_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

func config(style discovery.Style) discovery.Config {
	return discovery.Config{Prefix: "homeassistant", BaseTopic: "hanbridge", Style: style, Version: "1.0.0"}
}

// aidon sends the Swedish list of 27 items. Its quantities include those that are derived from the items.
var aidon = discovery.Meter{
	ID: "house", Name: "Electricity meter", Make: "Aidon", // the list has neither model nor serial number
	Quantities: named("import_power export_power net_power import_power_l1 import_power_l2 import_power_l3 " +
		"export_power_l1 export_power_l2 export_power_l3 net_power_l1 net_power_l2 net_power_l3 import_reactive_power " +
		"export_reactive_power import_reactive_power_l1 import_reactive_power_l2 import_reactive_power_l3 " +
		"export_reactive_power_l1 export_reactive_power_l2 export_reactive_power_l3 voltage_l1 voltage_l2 voltage_l3 " +
		"current_l1 current_l2 current_l3 import_energy export_energy import_reactive_energy export_reactive_energy"),
}

// norwegian sends only one quantity, like a Norwegian meter in most of its telegrams.
var norwegian = discovery.Meter{ID: "meter", Quantities: named("import_power")}

// named returns the quantities with these names.
func named(names string) []discovery.Quantity {
	var all []discovery.Quantity
	for _, name := range strings.Fields(names) {
		id, ok := quantity.ByName(name)
		if !ok {
			panic("no row " + name)
		}
		all = append(all, discovery.Quantity{ID: id, Decimals: decimals(id)})
	}
	return all
}

// decimals returns the number of decimals in the quantity table. For quantity.AsSent, which means as many decimals as the meter sends, it returns
// 1.
func decimals(id quantity.ID) int {
	if d := id.Row().Decimals; d != quantity.AsSent {
		return int(d)
	}
	return 1
}

// announced returns the messages of the bridge and one meter, by topic.
func announced(c discovery.Config, m discovery.Meter) map[string][]byte {
	return byTopic(allMessages(c, m))
}

// TestEveryRowInEveryUnit tests that hubs accept each quantity in each of its units.
func TestEveryRowInEveryUnit(t *testing.T) {
	for i := range quantity.Rows() {
		row := &quantity.Rows()[i]
		for unit := range max(1, len(row.Units)) {
			q := discovery.Quantity{ID: quantity.ID(i), UnitIndex: uint8(unit), Decimals: decimals(quantity.ID(i))}
			m := discovery.Meter{ID: "house", Quantities: []discovery.Quantity{q}}
			for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
				if err := errors.Join(hatest.CheckSet(announced(config(style), m))...); err != nil {
					t.Errorf("%s, unit %d, %v: %v", row.Name, unit, style, err)
				}
			}
		}
	}
}

// TestEveryRowTogether tests that hubs accept a meter with all quantities.
func TestEveryRowTogether(t *testing.T) {
	for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
		if err := errors.Join(hatest.CheckSet(announced(config(style), meterWithEverything))...); err != nil {
			t.Errorf("%v: %v", style, err)
		}
	}
}

// TestEntities tests that EntityCount returns the number of entities that Meter announces.
func TestEntities(t *testing.T) {
	if got, want := len(config(discovery.Component).Meter(aidon)), aidon.EntityCount(); got != want {
		t.Errorf("got %d messages in Component style, want %d, the EntityCount", got, want)
	}
}

// TestBothStylesConflict tests that the messages of both styles are about the same entities, so CheckSet refuses them together.
func TestBothStylesConflict(t *testing.T) {
	set := announced(config(discovery.Device), norwegian)
	for topic, payload := range announced(config(discovery.Component), norwegian) {
		set[topic] = payload
	}
	if errs := hatest.CheckSet(set); len(errs) == 0 {
		t.Error("messages of both styles together: got no error, want a conflict")
	}
}

func TestOffAnnouncesNothing(t *testing.T) {
	c := config(discovery.Off)
	if got := append(c.Bridge(), c.Meter(aidon)...); len(got) != 0 {
		t.Errorf("got %d messages, want none", len(got))
	}
}

// TestSameMeterSameBytes tests that each announcement of a meter has the same bytes. After any difference, a hub would set up all entities
// again.
func TestSameMeterSameBytes(t *testing.T) {
	for _, style := range []discovery.Style{discovery.Device, discovery.Component} {
		a, b := config(style).Meter(aidon), config(style).Meter(aidon)
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%v style: the second announcement differs (-first +second):\n%s", style, d)
		}
	}
}

func TestStyleText(t *testing.T) {
	for _, row := range []struct {
		text string
		want discovery.Style
	}{{"device", discovery.Device}, {"component", discovery.Component}, {"off", discovery.Off}} {
		var got discovery.Style
		if err := got.UnmarshalText([]byte(row.text)); err != nil || got != row.want || got.String() != row.text {
			t.Errorf("%s: got style %v, error %v, want %s", row.text, got, err, row.text)
		}
	}
	for _, text := range []string{"", "Device", "on", "both"} {
		var s discovery.Style
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q: got style %v, want an error", text, s)
		}
	}
}

// TestAnnouncedByIgnoresOtherPrograms tests that AnnouncedBy uses only the last two messages. The other messages are from another program, empty,
// or no discovery messages.
func TestAnnouncedByIgnoresOtherPrograms(t *testing.T) {
	got := discovery.AnnouncedBy([]discovery.Message{
		{Topic: "homeassistant/device/hanbridge_house/config", Payload: []byte(`{"origin":{"name":"another"},"components":{}}`)},
		{Topic: "homeassistant/device/zigbee_house/config", Payload: []byte(`{"origin":{"name":"hanbridge"},"components":{}}`)},
		{Topic: "homeassistant/sensor/hanbridge_house/gas/config", Payload: []byte(`no JSON`)},
		{Topic: "homeassistant/sensor/hanbridge_house/water/config"},
		{Topic: "homeassistant/light/hanbridge_house/lamp/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "hanbridge/house/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "a/b/sensor/hanbridge_house/gas/config", Payload: []byte(`{"migrate_discovery":true}`)},
		{Topic: "homeassistant/device/hanbridge_barn/config", Payload: []byte(`{"origin":{"name":"hanbridge"},"components":{"gas":{"platform":"sensor"}}}`)},
	})
	want := discovery.Announced{
		"a/b/sensor/hanbridge_house/gas/config":      {"gas": "sensor"},
		"homeassistant/device/hanbridge_barn/config": {"gas": "sensor"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("announced (-want +got):\n%s", d)
	}
}
