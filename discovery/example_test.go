package discovery_test

import (
	"fmt"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// A program that reads a meter announces the quantities of the meter to Home Assistant. It publishes all messages as retained.
func ExampleConfig_Meter() {
	c := discovery.Config{Prefix: "homeassistant", BaseTopic: "hanbridge", Style: discovery.Component}
	messages := c.Meter(discovery.Meter{ID: "house", Name: "House", Make: "Aidon", Quantities: []discovery.Quantity{
		{ID: quantity.ImportPower, Decimals: 0, Interval: 10 * time.Second},
	}})
	// Besides import_power, every meter has a connection and diagnostics.
	fmt.Println(len(messages), "entities, the first entity:")
	fmt.Println(messages[0].Topic)
	fmt.Println(string(messages[0].Payload[:110]) + "…")
	// Output:
	// 8 entities, the first entity:
	// homeassistant/sensor/hanbridge_house/import_power/config
	// {"name":"Import power","unique_id":"hanbridge_house_import_power","default_entity_id":"sensor.house_import_pow…
}

// When a meter no longer sends a quantity, its entity is removed before the new announcement.
func ExamplePlanChange() {
	c := discovery.Config{Prefix: "homeassistant", BaseTopic: "hanbridge"}
	m := discovery.Meter{ID: "house", Quantities: []discovery.Quantity{{ID: quantity.ImportPower}, {ID: quantity.Gas}}}
	announced := discovery.AnnouncedBy(c.Meter(m))

	m.Quantities = m.Quantities[:1]
	steps, _ := discovery.PlanChange(announced, c.Meter(m))
	fmt.Println(len(steps), "steps, with", discovery.StepPause, "between them")
	// Output: 2 steps, with 1s between them
}

// Messages are compared as JSON, so the order of their keys does not matter.
func ExampleDifferences() {
	c := discovery.Config{Prefix: "homeassistant", BaseTopic: "hanbridge"}
	announced := c.Meter(discovery.Meter{ID: "house", Name: "House"})
	wanted := c.Meter(discovery.Meter{ID: "house", Name: "Main house"})
	for _, d := range discovery.Differences(announced, wanted) {
		fmt.Println(d)
	}
	// Output: homeassistant/device/hanbridge_house/config: device.name is "House", wanted "Main house"
}
