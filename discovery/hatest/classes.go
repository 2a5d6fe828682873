package hatest

import (
	"slices"
	"strings"
)

// A class is which units and state classes go with a device class of sensors. No units means that there may be none; no
// states likewise.
type class struct{ units, states []string }

var (
	measured = []string{"measurement"}
	counted  = []string{"total", "total_increasing"}
	states   = []string{"measurement", "total", "total_increasing"}
)

// classes are Home Assistant's of 2026.7, as far as meters have a use for them. Upper and lower case matter.
var classes = map[string]class{
	"power":            {list("mW W kW MW GW TW"), measured},
	"apparent_power":   {list("mVA VA kVA"), measured},
	"reactive_power":   {list("mvar var kvar"), measured},
	"energy":           {list("mWh Wh kWh MWh GWh TWh J kJ MJ GJ cal kcal Mcal Gcal"), counted},
	"reactive_energy":  {list("varh kvarh"), counted},
	"voltage":          {list("μV mV V kV MV"), measured},
	"current":          {list("μA mA A"), measured},
	"power_factor":     {list("none %"), measured},
	"frequency":        {list("mHz Hz kHz MHz GHz"), measured},
	"gas":              {list("L m³ ft³ CCF MCF"), counted},
	"water":            {list("L m³ ft³ gal CCF MCF"), counted},
	"volume_flow_rate": {list("m³/h L/h L/min L/s"), measured},
	"duration":         {list("μs ms s min h d"), states},
	"signal_strength":  {list("dB dBm"), measured},
	"monetary":         {list("SEK NOK DKK EUR CHF GBP"), []string{"total"}},
	"timestamp":        {},
	"date":             {},
	"enum":             {},
}

var binaryClasses = []string{"connectivity", "problem", "power", "running"}

// none in a list of units stands for no unit at all.
const none = "none"

func list(words string) []string { return strings.Fields(words) }

func knownClass(e *entity) bool {
	if !e.has("device_class") {
		return true
	}
	if e.platform == "binary_sensor" {
		return slices.Contains(binaryClasses, e.text("device_class"))
	}
	_, known := classes[e.text("device_class")]
	return known
}

func knownState(e *entity) bool {
	return !e.has("state_class") || slices.Contains(states, e.text("state_class"))
}

// fitsState demands a state class wherever the class allows one: without it there are no statistics, and the energy
// dashboard does not offer the sensor.
func fitsState(e *entity) bool {
	c, known := classes[e.text("device_class")]
	if !known {
		return true
	}
	if len(c.states) == 0 {
		return !e.has("state_class")
	}
	return slices.Contains(c.states, e.text("state_class"))
}

func fitsUnit(e *entity) bool {
	c, known := classes[e.text("device_class")]
	if !known || e.platform != "sensor" {
		return true
	}
	if !e.has("unit_of_measurement") {
		return len(c.units) == 0 || slices.Contains(c.units, none)
	}
	unit := e.text("unit_of_measurement")
	return unit != none && slices.Contains(c.units, unit)
}

// numeric tells if a sensor's state is a number, as far as the message lets one see.
func numeric(e *entity) bool {
	return e.has("unit_of_measurement") || e.has("state_class") || len(classes[e.text("device_class")].units) > 0
}
