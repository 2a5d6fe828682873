package hatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// A kind tells if a value is what an option may hold. No kind accepts null.
type kind func(any) bool

// A schema names every option of an object. What it does not name is refused: Home Assistant refuses the payload for
// it at the root, in device and in origin, and drops it without a word in a component.
type schema struct {
	required []string
	options  map[string]kind
}

var (
	rootSchema = schema{
		required: []string{"device", "origin", "components"},
		options: map[string]kind{
			"device": isObject, "origin": isObject, "components": isObject,
			"availability": isList, "availability_topic": isTopic, "availability_mode": isMode,
			"availability_template": isTemplate, "payload_available": isText, "payload_not_available": isText,
			"state_topic": isTopic, "command_topic": isTopic, "qos": isQoS, "encoding": isText,
			"message_expiry_interval": isCount,
		},
	}
	deviceSchema = schema{
		required: []string{"name"}, // without it Home Assistant complains in its log
		options: map[string]kind{
			"identifiers": isTexts, "connections": isPairs, "name": isText, "manufacturer": isText, "model": isText,
			"model_id": isText, "serial_number": isText, "sw_version": isText, "hw_version": isText,
			"via_device": isText, "suggested_area": isText, "configuration_url": isURL,
		},
	}
	originSchema = schema{
		required: []string{"name"},
		options:  map[string]kind{"name": isText, "sw_version": isText, "support_url": isURL},
	}
	availabilitySchema = schema{
		required: []string{"topic"},
		options: map[string]kind{
			"topic": isTopic, "payload_available": isText, "payload_not_available": isText, "value_template": isTemplate,
		},
	}
	entityOptions = map[string]kind{
		"name": isText, "unique_id": isText, "default_entity_id": isText, "state_topic": isTopic, "qos": isQoS,
		"encoding": isText, "device_class": isText, "entity_category": isText, "enabled_by_default": isFlag,
		"icon": isIcon, "value_template": isTemplate, "expire_after": isCount, "force_update": isOff,
		"json_attributes_topic": isTopic, "json_attributes_template": isTemplate,
		"availability": isList, "availability_topic": isTopic, "availability_mode": isMode,
		"availability_template": isTemplate, "payload_available": isText, "payload_not_available": isText,
		"message_expiry_interval": isCount,
	}
	platformOptions = map[string]map[string]kind{
		"sensor": {
			"state_class": isText, "unit_of_measurement": isText, "suggested_display_precision": isCount,
			"options": isTexts, "last_reset_value_template": isTemplate,
		},
		"binary_sensor": {"payload_on": isText, "payload_off": isText, "off_delay": isCount},
	}
)

// entitySchemas name the options of each platform. A component says its platform itself; elsewhere the topic does.
var entitySchemas = func() map[string]schema {
	all := map[string]schema{}
	for _, platform := range platforms {
		s := schema{required: []string{"unique_id", "name"}, options: maps.Clone(entityOptions)}
		maps.Copy(s.options, platformOptions[platform])
		s.options["platform"] = func(v any) bool { return v == platform }
		all[platform] = s
	}
	return all
}()

func (s schema) check(where string, o object) []error {
	var errs []error
	for _, key := range s.required {
		if _, ok := o[key]; !ok {
			errs = append(errs, fmt.Errorf("%s: %s is missing", where, key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		is, known := s.options[key]
		if !known {
			errs = append(errs, fmt.Errorf("%s: no hub knows the key %s here", where, key))
		} else if !is(o[key]) {
			errs = append(errs, fmt.Errorf("%s: %s may not be %v", where, key, o[key]))
		}
	}
	return errs
}

// checkRoot checks all of a message but its entities.
func checkRoot(topic string, place address, root object) []error {
	var errs []error
	if place.platform == devicePlatform {
		errs = rootSchema.check(topic, root)
		errs = append(errs, checkAvailability(topic, root)...)
	} else {
		for _, key := range []string{"device", "origin"} {
			if inner(root, key) == nil {
				errs = append(errs, fmt.Errorf("%s: %s is missing", topic, key))
			}
		}
	}
	if device := inner(root, "device"); device != nil {
		errs = append(errs, deviceSchema.check(topic+": device", device)...)
		if device["identifiers"] == nil && device["connections"] == nil {
			errs = append(errs, fmt.Errorf("%s: device: neither identifiers nor connections", topic))
		}
	}
	if !paired(place, root) {
		errs = append(errs, fmt.Errorf("%s: topic: must name the device as its identifiers do: only then both styles mean the same entities", topic))
	}
	if origin := inner(root, "origin"); origin != nil {
		errs = append(errs, originSchema.check(topic+": origin", origin)...)
	}
	return errs
}

// paired tells if Home Assistant makes the same id of this topic as of that of the other style: "<device> <key>".
func paired(place address, root object) bool {
	device := place.object
	if place.platform != devicePlatform {
		device = place.node
	} else if place.node != "" {
		return false
	}
	return slices.Contains(identifiers(inner(root, "device")), device)
}

func checkAvailability(where string, o object) []error {
	var errs []error
	if o["availability"] != nil && o["availability_topic"] != nil {
		errs = append(errs, fmt.Errorf("%s: both availability and availability_topic (an entity must use the form of its root)", where))
	}
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
		errs = append(errs, fmt.Errorf("%s: availability_mode must be all where there are several topics", where))
	}
	return errs
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

func isList(v any) bool { _, ok := v.([]any); return ok }

func isText(v any) bool { s, ok := v.(string); return ok && s != "" }

func isTopic(v any) bool { s, ok := v.(string); return ok && stateTopic(s) }

// isOff: a state for each message, changed or not, floods the database of a hub.
func isOff(v any) bool { return v == false }

func isFlag(v any) bool { _, ok := v.(bool); return ok }

func isMode(v any) bool { return v == "all" || v == "any" || v == "latest" }

func isCount(v any) bool {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	return err == nil && i >= 0
}

func isQoS(v any) bool {
	return isCount(v) && slices.Contains([]json.Number{"0", "1", "2"}, v.(json.Number))
}

// isTexts is a list with at least one text in it and nothing else.
func isTexts(v any) bool {
	list, _ := v.([]any)
	return len(list) > 0 && !slices.ContainsFunc(list, func(x any) bool { return !isText(x) })
}

func isPairs(v any) bool {
	list, _ := v.([]any)
	return len(list) > 0 && !slices.ContainsFunc(list, func(x any) bool {
		pair, _ := x.([]any)
		return len(pair) != 2 || !isTexts(x)
	})
}

func isURL(v any) bool {
	s, _ := v.(string)
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
