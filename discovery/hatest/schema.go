package hatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A validator reports whether a value is valid for an option. No validator accepts null.
type validator func(any) bool

// A schema has all options that hanbridge sends in an object. Other options are refused. (Home Assistant refuses unknown options at the root, in
// device and in origin. It ignores unknown options in a component.)
type schema struct {
	required []string
	options  map[string]validator
}

var (
	rootSchema = schema{
		required: []string{"device", "origin", "components"},
		options: map[string]validator{
			"device": isObject, "origin": isObject, "components": isObject, "availability": isList, "availability_mode": oneOf("all"),
		},
	}
	deviceSchema = schema{
		required: []string{"identifiers", "name"}, // without a name Home Assistant complains in its log
		options: map[string]validator{
			"identifiers": isTexts, "name": isText, "manufacturer": isText, "model": isText, "serial_number": isText,
			"sw_version": isText, "via_device": isText,
		},
	}
	originSchema = schema{
		required: []string{"name"},
		options:  map[string]validator{"name": isText, "sw_version": isText, "support_url": isURL},
	}
	availabilitySchema = schema{required: []string{"topic"}, options: map[string]validator{"topic": isTopic}}
	// Reasons for some of the options:
	//   - entity_category: with another category than diagnostic, Home Assistant does not set up the device of a sensor until a restart.
	//   - expire_after: the shortest time is three times the 300 s after which the bridge repeats a value.
	//   - qos: entities have this option and the root does not, because Home Assistant 2024.12 does not apply the qos of the root.
	entityOptions = map[string]validator{
		"name": isText, "unique_id": matches(safeID), "default_entity_id": isText, "state_topic": isTopic, "qos": isInteger(0, 2),
		"device_class": isText, "entity_category": oneOf("diagnostic"), "enabled_by_default": oneOf(true, false), "expire_after": isInteger(900, 1<<31),
		"availability": isList, "availability_mode": oneOf("all"),
	}
	platformOptions = map[string]map[string]validator{
		"sensor": {
			"state_class":         oneOf("measurement", "total", "total_increasing"),
			"unit_of_measurement": isText, "suggested_display_precision": isInteger(0, 9),
		},
		"binary_sensor": {"payload_on": isText, "payload_off": isText},
	}
)

// entitySchema returns the schema of an entity of a platform. In Device style, the platform is an option of the entity. In Component style, it is
// in the topic.
func entitySchema(platform string) schema {
	s := schema{required: []string{"unique_id", "name", "state_topic"}, options: maps.Clone(entityOptions)}
	maps.Copy(s.options, platformOptions[platform])
	s.options["platform"] = oneOf(platform)
	return s
}

// check returns the faults of an object. The text where names the object in errors.
func (s schema) check(where string, o object) (errs []error) {
	for _, key := range s.required {
		if _, ok := o[key]; !ok {
			errs = append(errs, fmt.Errorf("%s: %s is missing", where, key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if valid, known := s.options[key]; !known {
			errs = append(errs, fmt.Errorf("%s: unknown key %s", where, key))
		} else if !valid(o[key]) {
			errs = append(errs, fmt.Errorf("%s: %s must not be %v", where, key, o[key]))
		}
	}
	return errs
}

// checkRoot checks everything in a message except its entities.
func checkRoot(topic string, parts topicParts, root object) (errs []error) {
	deviceID := parts.nodeID // the id of the device in the topic
	if parts.platform == deviceLevel {
		deviceID = parts.objectID
		errs = rootSchema.check(topic, root)
		errs = append(errs, checkAvailability(topic, root)...)
	}
	device, origin := inner(root, "device"), inner(root, "origin")
	errs = append(errs, deviceSchema.check(topic+": device", device)...)
	errs = append(errs, originSchema.check(topic+": origin", origin)...)
	// Home Assistant identifies an entity by the id of the device in the topic and the key of the entity. A topic of Device style must not have a
	// node id too, because Home Assistant would then use both ids.
	hasExtraID := parts.platform == deviceLevel && parts.nodeID != ""
	if !slices.Contains(identifiers(device), deviceID) || hasExtraID {
		errs = append(errs, fmt.Errorf("%s: the topic must have an identifier of the device as its id, so that both styles mean the same entities", topic))
	}
	return errs
}

func checkAvailability(where string, o object) (errs []error) {
	list, _ := o["availability"].([]any)
	for _, v := range list {
		entry, ok := v.(map[string]any)
		if !ok {
			errs = append(errs, fmt.Errorf("%s: availability is a list of objects", where))
			continue
		}
		errs = append(errs, availabilitySchema.check(where+": availability", entry)...)
	}
	if len(list) > 1 && o["availability_mode"] != "all" {
		errs = append(errs, fmt.Errorf("%s: availability_mode must be all if there are several topics", where))
	}
	return errs
}

// oneOf accepts only the given values.
func oneOf(values ...any) validator { return func(v any) bool { return slices.Contains(values, v) } }

func matches(pattern *regexp.Regexp) validator {
	return func(v any) bool { s, ok := v.(string); return ok && pattern.MatchString(s) }
}

func isInteger(minimum, maximum int64) validator {
	return func(v any) bool {
		n, _ := v.(json.Number)
		i, err := n.Int64()
		return err == nil && i >= minimum && i <= maximum
	}
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

func isList(v any) bool { _, ok := v.([]any); return ok }

func isText(v any) bool { s, ok := v.(string); return ok && strings.TrimSpace(s) != "" }

// isTexts reports whether v is a list of at least one text.
func isTexts(v any) bool {
	list, _ := v.([]any)
	return len(list) > 0 && !slices.ContainsFunc(list, func(x any) bool { return !isText(x) })
}

func isURL(v any) bool {
	s, _ := v.(string)
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// foreignTrees are the first levels of the topics to which other integrations of Home Assistant subscribe. A message on such a topic would start
// the setup of an integration.
var foreignTrees = []string{"dsmr", "tasmota", "fully", "drop_connect"}

// isTopic reports whether v is a topic to which the bridge can publish without side effects.
func isTopic(v any) bool {
	topic, _ := v.(string)
	levels := strings.Split(topic, "/")
	return !strings.ContainsAny(topic, "+#\x00") && !strings.HasPrefix(topic, "$") && !slices.Contains(levels, "") && !slices.Contains(foreignTrees, levels[0])
}
