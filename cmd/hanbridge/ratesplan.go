package main

import (
	"github.com/hanbridge/hanbridge/bridge/lane"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// plan returns how often each quantity is published.
func (c Config) plan() *lane.Plan {
	var preset lane.Preset
	if err := preset.UnmarshalText([]byte(c.Publish)); err != nil {
		preset = lane.Balanced // the configuration has been checked
	}
	plan := lane.NewPlan(preset)
	for i := range quantity.Rows() {
		id := quantity.ID(i)
		if change := c.Quantities.of(id).Change; change != (lane.Change{}) {
			plan.Set(id, change)
		}
	}
	return plan
}
