package hatest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A rule is a condition on an entity that the schema does not check.
type rule struct {
	option  string // the option that the error names
	problem string // the text of the error
	holds   func(e *entity) bool
}

// checkEntity checks the options of one entity.
func checkEntity(e *entity) []error {
	if !slices.Contains(platforms, e.platform) {
		return []error{fmt.Errorf("%s: platform %q: a hub that does not know the platform drops the whole device", e.label, e.platform)}
	}
	errs := entitySchema(e.platform).check(e.label, e.options)
	errs = append(errs, checkAvailability(e.label, e.options)...)
	for _, r := range slices.Concat(homeAssistantRules, otherHubRules) {
		if !r.holds(e) {
			errs = append(errs, fmt.Errorf("%s: %s %v: %s", e.label, r.option, e.options[r.option], r.problem))
		}
	}
	return errs
}

var homeAssistantRules = []rule{
	{"unique_id", "must be the device identifier, _ and the component key, without a part that can change, such as a name", func(e *entity) bool {
		ids := identifiers(e.device)
		return len(ids) == 0 || e.text("unique_id") == ids[0]+"_"+e.key
	}},
	{"name", "repeats the device's name, which the hub puts in front itself", func(e *entity) bool {
		deviceName := strings.ToLower(text(e.device, "name"))
		return deviceName == "" || !strings.HasPrefix(strings.ToLower(e.text("name")), deviceName)
	}},
	{"default_entity_id", "must be the platform, a dot and an id of a-z 0-9 _", func(e *entity) bool {
		platform, id, _ := strings.Cut(e.text("default_entity_id"), ".")
		return !e.has("default_entity_id") || platform == e.platform && plainEntityID.MatchString(id)
	}},
	{"device_class", "is no device class of this platform", knownClass},
	{"state_class", "does not fit the device class", fitsStateClass},
	{"unit_of_measurement", "does not fit the device class", fitsUnit},
	{"suggested_display_precision", "must be set for numbers only", func(e *entity) bool { return !e.has("suggested_display_precision") || numeric(e) }},
	{"payload_on", "must differ from payload_off", func(e *entity) bool {
		return !e.has("payload_on") || e.text("payload_on") != e.text("payload_off")
	}},
	{"expire_after", "must be set for measurements only: an expired counter would leave a gap in the energy statistics", func(e *entity) bool {
		return !e.has("expire_after") || e.text("state_class") == "measurement"
	}},
	{"availability", "must not use the state topic: the entity would be unavailable instead of off", func(e *entity) bool {
		return e.platform != "binary_sensor" || !slices.Contains(availabilityTopics(e.options), e.text("state_topic"))
	}},
}

var plainEntityID = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// A sensorClass has the units and the state classes that a device class allows, as lists of words with spaces between. If a list is empty, the
// entity must not have the option. The unit "none" allows an entity without a unit.
type sensorClass struct{ units, stateClasses string }

const counterStates = "total total_increasing"

// sensorClasses are the device classes of Home Assistant 2026.7 that meters use. Units are case-sensitive.
var sensorClasses = map[string]sensorClass{
	"power":            {"mW W kW MW GW TW", "measurement"},
	"apparent_power":   {"mVA VA kVA", "measurement"},
	"reactive_power":   {"mvar var kvar", "measurement"},
	"energy":           {"mWh Wh kWh MWh GWh TWh J kJ MJ GJ cal kcal Mcal Gcal", counterStates},
	"reactive_energy":  {"varh kvarh", counterStates},
	"voltage":          {"μV mV V kV MV", "measurement"},
	"current":          {"μA mA A", "measurement"},
	"power_factor":     {"none %", "measurement"},
	"frequency":        {"mHz Hz kHz MHz GHz", "measurement"},
	"gas":              {"L m³ ft³ CCF MCF", counterStates},
	"water":            {"L m³ ft³ gal CCF MCF", counterStates},
	"volume_flow_rate": {"m³/h L/h L/min L/s", "measurement"},
	"duration":         {"μs ms s min h d", "measurement " + counterStates},
	"signal_strength":  {"dB dBm", "measurement"},
	"monetary":         {"SEK NOK DKK EUR CHF GBP", "total"},
	"timestamp":        {},
}

// binaryClasses are the device classes of binary sensors that hanbridge can use.
const binaryClasses = "connectivity problem power running"

// isAmong reports whether word is in the list words. "" is in the empty list.
func isAmong(words, word string) bool {
	return words == "" && word == "" || slices.Contains(strings.Fields(words), word)
}

// knownClass reports whether the entity has no device class, or a device class of its platform.
func knownClass(e *entity) bool {
	if e.platform == "binary_sensor" {
		return !e.has("device_class") || isAmong(binaryClasses, e.text("device_class"))
	}
	_, known := sensorClasses[e.text("device_class")]
	return known || !e.has("device_class")
}

// fitsStateClass reports whether the state class fits the device class. If the device class allows a state class, the entity must have one.
// Without a state class, Home Assistant has no statistics of the sensor, and does not offer the sensor in the energy dashboard.
func fitsStateClass(e *entity) bool {
	c, known := sensorClasses[e.text("device_class")]
	return !known || isAmong(c.stateClasses, e.text("state_class"))
}

// fitsUnit reports whether the unit of a sensor fits its device class.
func fitsUnit(e *entity) bool {
	c, known := sensorClasses[e.text("device_class")]
	unit := e.text("unit_of_measurement")
	if unit == "" && isAmong(c.units, "none") {
		return true
	}
	if !known || e.platform != "sensor" {
		return true // there is no rule for the units of binary sensors and of sensors without a known class
	}
	return unit != "none" && isAmong(c.units, unit)
}

// numeric reports whether the state of the entity must be a number, because of its unit, state class or device class.
func numeric(e *entity) bool {
	return e.has("unit_of_measurement") || e.has("state_class") || sensorClasses[e.text("device_class")].units != ""
}
