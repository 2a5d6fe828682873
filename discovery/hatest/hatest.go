// Package hatest judges discovery messages as the hubs do that read them: Home Assistant's schemas, and what openHAB,
// Domoticz and Gladys drop in silence. It is stricter than any of them, because it knows only what hanbridge may send:
// full keys, sensors and binary sensors, no null. It is for tests.
package hatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Check returns all that a hub would refuse in one message; none for a sound one. An empty payload takes something back
// and is sound on every discovery topic.
func Check(topic string, payload []byte) []error {
	_, errs := read(topic, payload)
	return errs
}

// CheckSet checks each message, by topic, and then what goes wrong only between them: one identity claimed twice, a
// device of which nobody hears, registers that Domoticz would pair with the wrong power. Empty payloads count as gone.
func CheckSet(messages map[string][]byte) []error {
	var all []announcement
	var errs []error
	for _, topic := range slices.Sorted(maps.Keys(messages)) {
		a, faults := read(topic, messages[topic])
		errs = append(errs, faults...)
		if a != nil {
			all = append(all, *a)
		}
	}
	return append(errs, conflicts(all)...)
}

// An object is a JSON object; its numbers are json.Number.
type object map[string]any

// An announcement is one message as a hub understands it.
type announcement struct {
	topic    string
	device   object
	entities []entity
	removed  []string // "<platform> <id>" of components that it takes back
	moves    bool     // it lets go of what its topic announced, so that another topic can take it over
}

// An entity is one component with what it inherits from the root of its message.
type entity struct {
	where    string // for messages
	platform string
	id       string // the id in topics and ids of Home Assistant: "<device's object id> <key>"
	key      string // the component's key, the object id of a topic of its own
	device   object
	own, set object // as written, and with what is inherited
	root     object // what it may inherit from; nil where it has a topic of its own
}

// text returns an option that is text, "" where it is not there or something else.
func (e *entity) text(option string) string { return text(e.set, option) }

func (e *entity) has(option string) bool { return e.set[option] != nil }

func text(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

func inner(o object, key string) object {
	m, _ := o[key].(map[string]any)
	return m
}

// read understands one message. The announcement is nil where there is none: taken back, or beyond reading.
func read(topic string, payload []byte) (*announcement, []error) {
	place, err := parseTopic(topic)
	if err != nil {
		return nil, []error{err}
	}
	if len(payload) == 0 {
		return nil, nil
	}
	root, err := parseObject(payload)
	if err != nil {
		return nil, []error{fmt.Errorf("%s: %w", topic, err)}
	}
	if len(root) == 1 && root["migrate_discovery"] == true {
		return &announcement{topic: topic, moves: true}, nil
	}
	a := &announcement{topic: topic, device: inner(root, "device")}
	errs := checkRoot(topic, place, root)
	if place.platform == devicePlatform {
		errs = append(errs, a.components(place, root)...)
	} else {
		a.entities = []entity{single(topic, place, root)}
	}
	for i := range a.entities {
		errs = append(errs, checkEntity(&a.entities[i])...)
	}
	return a, errs
}

func parseObject(payload []byte) (object, error) {
	if bytes.ContainsAny(payload, "\n\r") {
		return nil, errors.New("a payload is one line")
	}
	if !utf8.Valid(payload) {
		return nil, errors.New("no UTF-8")
	}
	var o object
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if o == nil || d.InputOffset() != int64(len(payload)) {
		return nil, errors.New("no JSON object, or something behind it")
	}
	return o, nil
}

func (a *announcement) components(place address, root object) []error {
	all := inner(root, "components")
	var errs []error
	if len(all) == 0 {
		errs = append(errs, fmt.Errorf("%s: announces nothing", a.topic))
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		own := inner(all, key)
		e := entity{
			where: a.topic + ": " + key, platform: text(own, "platform"), id: place.object + " " + key, key: key,
			device: a.device, own: own, set: inherit(root, own), root: root,
		}
		switch {
		case own == nil:
			errs = append(errs, fmt.Errorf("%s: a component is an object", e.where))
		case !safeID.MatchString(key):
			errs = append(errs, fmt.Errorf("%s: the key has other characters than a-z A-Z 0-9 _ -", e.where))
		case len(own) == 1 && slices.Contains(platforms, e.platform):
			a.removed = append(a.removed, e.place()) // only a platform takes the component back
		default:
			a.entities = append(a.entities, e)
		}
	}
	return errs
}

// place is what makes an entity the same one in both styles.
func (e *entity) place() string { return e.platform + " " + e.id }

func single(topic string, place address, root object) entity {
	own := maps.Clone(root)
	delete(own, "device")
	delete(own, "origin")
	id := place.object
	if place.node != "" {
		id = place.node + " " + place.object
	}
	return entity{where: topic, platform: place.platform, id: id, key: place.object, device: inner(root, "device"), own: own, set: own}
}

// inherit lays a component over the options that its root hands down, option by option. The qos and encoding of the root
// are handed down only by hubs newer than 2024.12.
func inherit(root, own object) object {
	set := object{}
	for _, option := range []string{
		"availability", "availability_topic", "availability_mode", "availability_template", "payload_available",
		"payload_not_available", "state_topic", "command_topic", "message_expiry_interval",
	} {
		if v, ok := root[option]; ok {
			set[option] = v
		}
	}
	maps.Copy(set, own)
	return set
}
