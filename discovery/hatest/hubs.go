package hatest

import (
	"regexp"
	"slices"
	"strings"
)

// otherHubRules are the rules of other hubs. These hubs ignore an entity without a warning if it breaks a rule.
var otherHubRules = []rule{
	{"unique_id", "Domoticz drops entities with this object id", func(e *entity) bool { return !domoticzDrops.MatchString(e.key) }},
	{"unit_of_measurement", "Domoticz drops dBm", func(e *entity) bool { return e.text("unit_of_measurement") != "dBm" }},
	{"unit_of_measurement", "Gladys stores only numbers up to 100 000: use W and kWh, or larger units", func(e *entity) bool {
		return !slices.Contains(tooSmall, e.text("unit_of_measurement"))
	}},
	{"state_class", "openHAB treats a number without unit and state class as text", func(e *entity) bool {
		return !e.has("suggested_display_precision") || e.has("unit_of_measurement") || e.has("state_class")
	}},
	{"device_class", "Gladys drops a sensor without class, unit and state class: only a diagnostic text needs none of them", func(e *entity) bool {
		return e.platform != "sensor" || e.has("device_class") || e.has("unit_of_measurement") || e.has("state_class") ||
			e.text("entity_category") == "diagnostic"
	}},
}

// tooSmall are units in which usual values are above 100 000.
var tooSmall = []string{"mW", "mWh", "Wh", "mVA", "mvar", "varh", "J", "kJ", "cal"}

// domoticzDrops matches the object ids that Domoticz ignores, because it takes them for settings and technical details of devices.
var domoticzDrops = regexp.MustCompile(`^(update_available|update_state|power_on_behavior|power_outage_memory|over-load_status|linkquality|last_seen|` +
	`color_temp_startup|requested_brightness_level|requested_brightness_percent|hardware_status|connection_state|log_level|restart|action|` +
	`min_.*|max_.*|.*_min|.*_max)$|_address|_ssid|_signal_sensor|sensitivity|alarm|_calibration|battery|scene_state_scene`)

// domoticzPartner returns the power that Domoticz shows together with an energy; nil if there is none. It is the sensor in W whose unique_id has
// the longest common prefix with the unique_id of the energy. If several have the longest prefix, it is the first in the order of unique_ids.
func domoticzPartner(energy *entity, all []*entity) *entity {
	var best *entity
	longest := 0
	for _, e := range all {
		if e.text("unit_of_measurement") != "W" || skippedAsPower(e.key) {
			continue
		}
		n := commonPrefix(energy.text("unique_id"), e.text("unique_id"))
		if n > longest || n == longest && best != nil && e.text("unique_id") < best.text("unique_id") {
			best, longest = e, n
		}
	}
	return best
}

// skippedAsPower reports whether Domoticz never pairs an energy with a power that has this key, because Domoticz treats such keys as phases.
func skippedAsPower(key string) bool {
	return strings.HasPrefix(key, "power_a") || strings.HasPrefix(key, "power_b") || strings.HasPrefix(key, "power_c")
}

// commonPrefix returns the length of the common prefix.
func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// direction returns "import" or "export" if the key contains this word, otherwise "".
func direction(key string) string {
	for _, word := range []string{"import", "export"} {
		if strings.Contains(key, word) {
			return word
		}
	}
	return ""
}
