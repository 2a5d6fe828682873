package discovery_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// TestParseMetersReversesMeter tests that a parsed meter has the same messages as the announced meter, for any meter in both styles.
func TestParseMetersReversesMeter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := config(rapid.SampledFrom([]discovery.Style{discovery.Device, discovery.Component}).Draw(t, "style"))
		m := anyMeter(t)
		all := c.ParseMeters(allMessages(c, norwegian, m))
		if len(all) != 2 || all[0].ID != m.ID {
			t.Fatalf("got meters %+v, want %s and %s", all, m.ID, norwegian.ID)
		}
		if d := discovery.Differences(c.Meter(all[0]), c.Meter(m)); len(d) > 0 {
			t.Fatalf("the messages of the parsed meter %+v differ: %v", all[0], d)
		}
	})
}

func anyMeter(t *rapid.T) discovery.Meter {
	text := rapid.SampledFrom([]string{"", "Aidon", "6525"})
	m := discovery.Meter{
		ID: "a-b_c", Name: rapid.SampledFrom([]string{"", "House", "House <1>"}).Draw(t, "name"), Make: text.Draw(t, "make"),
		Model: text.Draw(t, "model"), Serial: text.Draw(t, "serial"), Software: text.Draw(t, "list"), Simulated: rapid.Bool().Draw(t, "simulated"),
	}
	ids := rapid.SliceOfNDistinct(rapid.IntRange(0, quantity.Count()-1), 0, 20, rapid.ID[int]).Draw(t, "quantities")
	for _, i := range ids {
		id := quantity.ID(i)
		m.Quantities = append(m.Quantities, discovery.Quantity{
			ID: id, UnitIndex: uint8(rapid.IntRange(0, max(0, len(id.Row().Units)-1)).Draw(t, "unit index")), Decimals: rapid.IntRange(0, 3).Draw(t, "decimals"),
			Interval: rapid.SampledFrom([]time.Duration{0, 2500 * time.Millisecond, time.Minute, 7 * time.Minute, time.Hour, 48 * time.Hour}).Draw(t, "interval"),
		})
	}
	return m
}

// TestParseMetersOfOtherVersions tests that ParseMeters reads messages of other versions, which have unknown quantities and units. It must ignore
// messages that release entities, and messages of other programs.
func TestParseMetersOfOtherVersions(t *testing.T) {
	// The unique ids a to h have no meaning. A component without a unique id means that the component is removed.
	const origin, device = `"origin":{"name":"hanbridge"}`, `"device":{"identifiers":["hanbridge_house"],"name":"House (simulated)","manufacturer":"Aidon"}`
	want := []discovery.Meter{{ID: "house", Name: "House", Make: "Aidon", Simulated: true, Quantities: []discovery.Quantity{
		{ID: quantity.Gas, Decimals: 2}, {ID: quantity.ThermalEnergy, UnitIndex: 1, Interval: time.Hour},
	}}}
	message := func(topic, payload string) discovery.Message {
		return discovery.Message{Topic: "homeassistant/" + topic + "/config", Payload: []byte(payload)}
	}
	got := config(discovery.Off).ParseMeters([]discovery.Message{
		message("device/hanbridge_house", `{`+device+`,`+origin+`,"components":{"gas":{"platform":"sensor","unique_id":"a","unit_of_measurement":"ft³",`+
			`"suggested_display_precision":2},"water":{"platform":"sensor"},"tides":{"platform":"sensor","unique_id":"b"},`+
			`"connection":{"platform":"binary_sensor","unique_id":"c"},"rejected_reason":{"platform":"sensor","unique_id":"d"}}}`),
		message("sensor/hanbridge_house/thermal_energy", `{`+device+`,`+origin+`,"unique_id":"e","unit_of_measurement":"kWh","expire_after":10800}`),
		message("sensor/hanbridge_house/moonlight", `{`+device+`,`+origin+`,"unique_id":"f"}`),
		message("sensor/hanbridge_house/voltage_l1", `{"migrate_discovery":true}`),
		message("device/hanbridge_bridge", `{"device":{"name":"hanbridge"},`+origin+`,"components":{"sun":{"platform":"sensor","unique_id":"g"}}}`),
		message("device/hanbridge_barn", `{"device":{"name":"Barn"},"origin":{"name":"another"},"components":{}}`),
		message("device/hanbridge_shed", `{"migrate_discovery":true}`),
		message("second/device/hanbridge_house", `{`+device+`,`+origin+`,"components":{"water":{"platform":"sensor","unique_id":"h"}}}`),
		message("device/hanbridge_garage", `no JSON`),
	})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("meters (-want +got):\n%s", d)
	}
}
