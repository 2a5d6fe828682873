package hatest

import (
	"fmt"
	"reflect"
	"slices"
)

// A uniqueName is a kind of name that must be different for every entity.
type uniqueName struct {
	kind   string
	nameOf func(e *entity) string // returns the name of an entity; "" if the entity has no such name, which then is not compared
}

var uniqueNames = []uniqueName{
	{"unique_id", func(e *entity) string { return e.platform + " " + e.text("unique_id") }},
	{"default_entity_id", func(e *entity) string { return e.text("default_entity_id") }},
	// If two topics announce an entity with the same identity, a hub ignores the second announcement.
	{"platform, device and key", func(e *entity) string { return e.identity }},
}

// duplicates returns an error for each entity that has the same name as an earlier entity.
func (u uniqueName) duplicates(entities []*entity) (errs []error) {
	firstByName := map[string]*entity{}
	for _, e := range entities {
		name := u.nameOf(e)
		if other := firstByName[name]; other == nil {
			firstByName[name] = e
		} else if name != "" {
			errs = append(errs, fmt.Errorf("%s: %s %q is taken by %s", e.label, u.kind, name, other.label))
		}
	}
	return errs
}

// checkNewClasses returns an error for each entity in Component style whose device class is unknown to Home Assistant before 2025. A hub that
// needs Component style is possibly of 2024 or older, and refuses an entity with an unknown class.
func checkNewClasses(entities []*entity) (errs []error) {
	for _, e := range entities {
		if e.inComponentStyle && e.text("device_class") == "reactive_energy" {
			errs = append(errs, fmt.Errorf("%s: device_class reactive_energy is unknown to Home Assistant before 2025", e.label))
		}
	}
	return errs
}

// checkTopicTypes returns an error for each entity that reads numbers from a topic with words. A topic has words if it gives an availability, or the
// state of an entity without numbers. ioBroker gives a topic the type of the first value, so a topic must not have words and numbers.
func checkTopicTypes(entities []*entity) (errs []error) {
	wordTopics := map[string]bool{}
	for _, e := range entities {
		for _, topic := range availabilityTopics(e.options) {
			wordTopics[topic] = true
		}
		if e.platform != "sensor" || !numeric(e) {
			wordTopics[e.text("state_topic")] = true
		}
	}
	for _, e := range entities {
		if e.platform == "sensor" && numeric(e) && wordTopics[e.text("state_topic")] {
			errs = append(errs, fmt.Errorf("%s: reads numbers from %s, which has words", e.label, e.text("state_topic")))
		}
	}
	return errs
}

// checkDevices returns an error for each via_device that is not announced, and for each device that two messages describe differently.
func checkDevices(all []*announcement) (errs []error) {
	known := map[string]object{}
	for _, a := range all {
		for _, id := range identifiers(a.device) {
			if d, ok := known[id]; ok && !reflect.DeepEqual(d, a.device) {
				errs = append(errs, fmt.Errorf("%s: device %s is described in two ways", a.topic, id))
			}
			known[id] = a.device
		}
	}
	for _, a := range all {
		if via := text(a.device, "via_device"); via != "" && known[via] == nil {
			errs = append(errs, fmt.Errorf("%s: via_device %s is announced nowhere", a.topic, via))
		}
	}
	return errs
}

func identifiers(device object) (ids []string) {
	list, _ := device["identifiers"].([]any)
	for _, v := range list {
		if id, ok := v.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// checkDomoticzPairs returns an error for each energy sensor that Domoticz pairs with the wrong power sensor. The right power sensor has the same
// direction, import or export, as the energy sensor. If the device has no such power sensor, every power sensor is right.
func checkDomoticzPairs(entities []*entity) (errs []error) {
	byDevice := map[string][]*entity{}
	for _, e := range entities {
		if ids := identifiers(e.device); len(ids) > 0 && e.platform == "sensor" {
			byDevice[ids[0]] = append(byDevice[ids[0]], e)
		}
	}
	for _, e := range entities {
		energyDirection := direction(e.key)
		if e.text("unit_of_measurement") != "kWh" || energyDirection == "" || len(identifiers(e.device)) == 0 {
			continue
		}
		siblings := byDevice[identifiers(e.device)[0]]
		hasSameDirection := slices.ContainsFunc(siblings, func(s *entity) bool {
			return s.text("unit_of_measurement") == "W" && direction(s.key) == energyDirection
		})
		if partner := domoticzPartner(e, siblings); hasSameDirection && partner != nil && direction(partner.key) != energyDirection {
			errs = append(errs, fmt.Errorf("%s: Domoticz pairs it with %s", e.label, partner.key))
		}
	}
	return errs
}

// availabilityTopics returns the topics from which an entity takes its availability.
func availabilityTopics(options object) (topics []string) {
	list, _ := options["availability"].([]any)
	for _, v := range list {
		entry, _ := v.(map[string]any)
		topics = append(topics, text(entry, "topic"))
	}
	return topics
}
