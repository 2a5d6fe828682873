package hatest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A rule is what one option must satisfy beyond its kind, and who minds if not.
type rule struct {
	option string
	demand string
	holds  func(e *entity) bool
}

func checkEntity(e *entity) []error {
	if !slices.Contains(platforms, e.platform) {
		return []error{fmt.Errorf("%s: platform %q: a hub that does not know it drops the whole device", e.where, e.platform)}
	}
	errs := entitySchemas[e.platform].check(e.where, e.own)
	errs = append(errs, checkAvailability(e.where, e.set)...)
	for _, rules := range [][]rule{homeAssistantRules, otherHubRules} {
		for _, r := range rules {
			if !r.holds(e) {
				errs = append(errs, fmt.Errorf("%s: %s %v: %s", e.where, r.option, e.set[r.option], r.demand))
			}
		}
	}
	return errs
}

var homeAssistantRules = []rule{
	{"unique_id", "has other characters than a-z A-Z 0-9 _ -", func(e *entity) bool { return safeID.MatchString(e.text("unique_id")) }},
	{"unique_id", "wants the device and the key, and nothing that may change", lasting},
	{"state_topic", "an entity needs one", func(e *entity) bool { return e.has("state_topic") }},
	{"name", "repeats the device's name, which the hub puts in front itself", ownName},
	{"default_entity_id", "wants the platform, a point and a-z 0-9 _", entityID},
	{"device_class", "no class of this platform", knownClass},
	{"state_class", "no state class", knownState},
	{"state_class", "not for this device class", fitsState},
	{"unit_of_measurement", "not for this device class", fitsUnit},
	{"unit_of_measurement", "blank", func(e *entity) bool {
		return !e.has("unit_of_measurement") || strings.TrimSpace(e.text("unit_of_measurement")) != ""
	}},
	{"entity_category", "only diagnostic: any other on a read-only entity blocks its device until the hub restarts", category},
	{"suggested_display_precision", "is for numbers", func(e *entity) bool { return !e.has("suggested_display_precision") || numeric(e) }},
	{"options", "only with device class enum, and neither unit nor state class", options},
	{"last_reset_value_template", "only with state class total", lastReset},
	{"payload_on", "must differ from payload_off", payloads},
	{"expire_after", "only for measurements: a gap in a counter shows in its statistics", func(e *entity) bool {
		return !e.has("expire_after") || e.text("state_class") == "measurement"
	}},
	{"expire_after", "is less than three of the bridge's repeats, every 300 s", func(e *entity) bool {
		return !e.has("expire_after") || atLeast(e.set["expire_after"], 900)
	}},
	{"qos", "at the root only, which Home Assistant 2024.12 does not hand down", own("qos")},
	{"encoding", "at the root only, which Home Assistant 2024.12 does not hand down", own("encoding")},
	{"availability", "hangs on the state topic: would be unavailable instead of off", func(e *entity) bool {
		return e.platform != "binary_sensor" || !slices.Contains(availabilityTopics(e.set), e.text("state_topic"))
	}},
}

// lasting demands <device>_<key>: two meters never share it, and no name, host or number is in it.
func lasting(e *entity) bool {
	ids := identifiers(e.device)
	return len(ids) == 0 || e.text("unique_id") == ids[0]+"_"+e.key
}

// own demands that an option which the root has is said by the entity itself.
func own(option string) func(e *entity) bool {
	return func(e *entity) bool { return e.root[option] == nil || e.own[option] != nil }
}

func atLeast(v any, least int64) bool {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	return err == nil && i >= least
}

func ownName(e *entity) bool {
	device := text(e.device, "name")
	return device == "" || !strings.HasPrefix(strings.ToLower(e.text("name")), strings.ToLower(device))
}

var plainEntityID = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

func entityID(e *entity) bool {
	if !e.has("default_entity_id") {
		return true
	}
	platform, id, _ := strings.Cut(e.text("default_entity_id"), ".")
	return platform == e.platform && plainEntityID.MatchString(id)
}

func category(e *entity) bool {
	return !e.has("entity_category") || e.text("entity_category") == "diagnostic"
}

func options(e *entity) bool {
	isEnum := e.text("device_class") == "enum"
	if !e.has("options") {
		return !isEnum
	}
	return isEnum && !e.has("state_class") && !e.has("unit_of_measurement")
}

func lastReset(e *entity) bool {
	return !e.has("last_reset_value_template") || e.text("state_class") == "total"
}

func payloads(e *entity) bool {
	return !e.has("payload_on") || e.text("payload_on") != e.text("payload_off")
}

var icon = regexp.MustCompile(`^[a-z]+:[a-z0-9-]+$`)

func isIcon(v any) bool { s, _ := v.(string); return icon.MatchString(s) }

// template is the one form that every hub understands. It has no room for a syntax error.
var template = regexp.MustCompile(`^\{\{ ?value_json(\.[a-z_][a-z0-9_]*)+ ?\}\}$`)

func isTemplate(v any) bool { s, _ := v.(string); return template.MatchString(s) }
