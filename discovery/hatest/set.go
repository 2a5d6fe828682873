package hatest

import (
	"fmt"
	"reflect"
	"slices"
)

// A claim is something that only one entity may have.
type uniqueName struct {
	what string
	of   func(e *entity) string
}

var uniqueNames = []uniqueName{
	{"unique_id", func(e *entity) string { return e.platform + " " + e.text("unique_id") }},
	{"default_entity_id", func(e *entity) string { return e.text("default_entity_id") }},
	// The same in both styles, or under two nodes that read alike: the hub keeps whichever came first.
	{"topic and key", func(e *entity) string { return e.identity }},
}

func (c uniqueName) duplicates(entities []*entity) (errs []error) {
	first := map[string]*entity{}
	for _, e := range entities {
		value := c.of(e)
		if other := first[value]; other == nil {
			first[value] = e
		} else if value != "" {
			errs = append(errs, fmt.Errorf("%s: %s %q is taken by %s", e.label, c.what, value, other.label))
		}
	}
	return errs
}

// tooNew finds device classes that hubs may not know which hear of entities one by one: Home Assistant before 2025 refuses
// such an entity. In the message of a device it would too, but there it is newer.
func checkNewClasses(entities []*entity) (errs []error) {
	for _, e := range entities {
		if e.ownTopic && e.text("device_class") == "reactive_energy" {
			errs = append(errs, fmt.Errorf("%s: device_class reactive_energy is unknown to Home Assistant before 2025", e.label))
		}
	}
	return errs
}

// kinds demands that a topic holds numbers or something else, never both: ioBroker gives a state the type of what it hears.
func checkTopicTypes(entities []*entity) (errs []error) {
	words := map[string]bool{}
	for _, e := range entities {
		for _, topic := range availabilityTopics(e.options) {
			words[topic] = true
		}
		if e.platform != "sensor" || !numeric(e) {
			words[e.text("state_topic")] = true
		}
	}
	for _, e := range entities {
		if e.platform == "sensor" && numeric(e) && words[e.text("state_topic")] {
			errs = append(errs, fmt.Errorf("%s: reads numbers from %s, which holds words", e.label, e.text("state_topic")))
		}
	}
	return errs
}

// devices demands that each via_device is announced and that all messages of a device describe it alike.
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

// pairs demands that Domoticz puts the power of the right direction beside every energy register, where there is one.
func checkDomoticzPairs(entities []*entity) (errs []error) {
	byDevice := map[string][]*entity{}
	for _, e := range entities {
		if ids := identifiers(e.device); len(ids) > 0 && e.platform == "sensor" {
			byDevice[ids[0]] = append(byDevice[ids[0]], e)
		}
	}
	for _, e := range entities {
		way := direction(e.key)
		if e.text("unit_of_measurement") != "kWh" || way == "" || len(identifiers(e.device)) == 0 {
			continue
		}
		siblings := byDevice[identifiers(e.device)[0]]
		right := slices.ContainsFunc(siblings, func(s *entity) bool {
			return s.text("unit_of_measurement") == "W" && direction(s.key) == way
		})
		if partner := domoticzPartner(e, siblings); right && partner != nil && direction(partner.key) != way {
			errs = append(errs, fmt.Errorf("%s: Domoticz pairs it with %s", e.label, partner.key))
		}
	}
	return errs
}

func availabilityTopics(set object) (topics []string) {
	list, _ := set["availability"].([]any)
	for _, v := range list {
		entry, _ := v.(map[string]any)
		topics = append(topics, text(entry, "topic"))
	}
	return topics
}
