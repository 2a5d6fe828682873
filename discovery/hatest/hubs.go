package hatest

import (
	"regexp"
	"slices"
	"strings"
)

// otherHubRules are the rules of other hubs, which ignore an entity without a warning.
var otherHubRules = []rule{
	{"unique_id", "Domoticz drops entities with this object id", func(e *entity) bool { return !domoticzDrops.MatchString(e.key) }},
	{"unit_of_measurement", "Domoticz drops dBm", func(e *entity) bool { return e.text("unit_of_measurement") != "dBm" }},
	{"unit_of_measurement", "Gladys stores numbers up to 100 000 only: use W and kWh, or larger units", func(e *entity) bool {
		return !slices.Contains(tooSmall, e.text("unit_of_measurement"))
	}},
	{"state_class", "openHAB makes text of a number without unit and state class", func(e *entity) bool {
		return !e.has("suggested_display_precision") || e.has("unit_of_measurement") || e.has("state_class")
	}},
	{"device_class", "Gladys drops a sensor without class, unit and state class: only a diagnostic text needs none of them", func(e *entity) bool {
		return e.platform != "sensor" || e.has("device_class") || e.has("unit_of_measurement") || e.has("state_class") ||
			e.text("entity_category") == "diagnostic"
	}},
}

var tooSmall = []string{"mW", "mWh", "Wh", "mVA", "mvar", "varh", "J", "kJ", "cal"}

// domoticzDrops matches the object ids that Domoticz ignores, because it takes them for settings and technical details of devices.
var domoticzDrops = regexp.MustCompile(`^(update_available|update_state|power_on_behavior|power_outage_memory|over-load_status|linkquality|last_seen|` +
	`color_temp_startup|requested_brightness_level|requested_brightness_percent|hardware_status|connection_state|log_level|restart|action|` +
	`min_.*|max_.*|.*_min|.*_max)$|_address|_ssid|_signal_sensor|sensitivity|alarm|_calibration|battery|scene_state_scene`)

// domoticzPartner returns the power that Domoticz shows together with an energy: the sensor in W of the same device whose unique_id has the
// longest prefix in common with the energy's. Of several it is the first in the order of unique_ids. It is nil if there is none.
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

// skippedAsPower reports whether Domoticz never pairs a key, because it takes the key for a phase of certain devices.
func skippedAsPower(key string) bool {
	return strings.HasPrefix(key, "power_a") || strings.HasPrefix(key, "power_b") || strings.HasPrefix(key, "power_c")
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// direction returns "import" or "export", which an energy and its power must share, or "" if the key has neither.
func direction(key string) string {
	for _, word := range []string{"import", "export"} {
		if strings.Contains(key, word) {
			return word
		}
	}
	return ""
}
