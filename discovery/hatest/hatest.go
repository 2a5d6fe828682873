// Package hatest checks discovery messages in tests. It applies the schemas of Home Assistant. It also refuses entities that openHAB, Domoticz or
// Gladys would ignore. It is stricter than these hubs, because it accepts only what hanbridge sends: unabbreviated keys, sensors and binary
// sensors, and no null. Hub is a model of Home Assistant that tracks entities over several messages.
//
// In this package, Device style and Component style are the values Device and Component of discovery.Style.
package hatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Check returns an error for each fault of one message. An empty payload, which removes an announcement, has no fault.
func Check(topic string, payload []byte) []error {
	_, errs := parseMessage(topic, payload)
	return errs
}

// CheckSet returns the faults of messages. The keys of the map are topics, the values are payloads. Besides the faults of each message, CheckSet
// finds faults that only several messages together show, such as an id that two entities use. It ignores empty payloads.
func CheckSet(messages map[string][]byte) []error {
	all, entities, errs := parseMessages(messages)
	for _, u := range uniqueNames {
		errs = append(errs, u.duplicates(entities)...)
	}
	return slices.Concat(errs, checkNewClasses(entities), checkTopicTypes(entities), checkDevices(all), checkDomoticzPairs(entities))
}

// StateTopics returns the sorted topics from which the announced entities read their states.
func StateTopics(announced map[string][]byte) (topics []string) {
	_, entities, _ := parseMessages(announced)
	for _, e := range entities {
		topics = append(topics, e.text("state_topic"))
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// parseMessages parses and checks messages, in the order of their topics.
func parseMessages(messages map[string][]byte) (all []*announcement, entities []*entity, errs []error) {
	for _, topic := range slices.Sorted(maps.Keys(messages)) {
		a, faults := parseMessage(topic, messages[topic])
		errs = append(errs, faults...)
		if a == nil {
			continue
		}
		all = append(all, a)
		for i := range a.entities {
			entities = append(entities, &a.entities[i])
		}
	}
	return all, entities, errs
}

// An object is a JSON object. Its numbers are of type json.Number.
type object map[string]any

// An announcement is one parsed message.
type announcement struct {
	topic    string
	device   object
	entities []entity
	removed  []string // the identity of each component that the message removes
	releases bool     // the message releases the entities of its topic, so that another topic can announce them
}

// An entity is one component with the availability that it inherits from the root of its message.
type entity struct {
	label    string // names the entity in errors
	platform string
	key      string // the key of the component; in Component style, the level before "config" in the topic
	identity string // "<platform> <device id> <key>", which is the same in both styles; the device id is the one in the topic
	device   object
	options  object // the options of the component

	inComponentStyle bool // the entity is announced in Component style
}

// text returns an option that is a text; "" if the option is missing or not a text.
func (e *entity) text(option string) string { return text(e.options, option) }

func (e *entity) has(option string) bool { return e.options[option] != nil }

// text returns the value of a key; "" if it is missing or not a text.
func text(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

// inner returns the value of a key; nil if it is missing or not an object.
func inner(o object, key string) object {
	m, _ := o[key].(map[string]any)
	return m
}

// parseMessage parses and checks one message. If the topic is wrong, or if the payload is empty or cannot be parsed, the announcement is nil.
func parseMessage(topic string, payload []byte) (*announcement, []error) {
	parts, err := parseTopic(topic)
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
		return &announcement{topic: topic, releases: true}, nil
	}
	a := &announcement{topic: topic, device: inner(root, "device")}
	errs := checkRoot(topic, parts, root)
	if parts.platform == deviceLevel {
		errs = append(errs, a.components(parts, root)...)
	} else {
		options := maps.Clone(root)
		delete(options, "device")
		delete(options, "origin")
		e := entity{label: topic, platform: parts.platform, key: parts.objectID, device: a.device, options: options, inComponentStyle: true}
		e.identity = e.platform + " " + strings.TrimPrefix(parts.nodeID+" "+parts.objectID, " ")
		errs = append(errs, checkEntity(&e)...)
		a.entities = []entity{e}
	}
	return a, errs
}

func parseObject(payload []byte) (object, error) {
	if bytes.ContainsAny(payload, "\n\r") || !utf8.Valid(payload) {
		return nil, errors.New("a payload must be one line in UTF-8")
	}
	var o object
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if o == nil || d.InputOffset() != int64(len(payload)) {
		return nil, errors.New("no JSON object, or something after it")
	}
	return o, nil
}

// components parses and checks the components of a message in Device style. It adds them to a.entities and a.removed.
func (a *announcement) components(parts topicParts, root object) (errs []error) {
	all := inner(root, "components")
	if len(all) == 0 {
		errs = append(errs, fmt.Errorf("%s: announces nothing", a.topic))
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		component := inner(all, key)
		e := entity{label: a.topic + ": " + key, platform: text(component, "platform"), key: key, device: a.device, options: maps.Clone(component)}
		e.identity = e.platform + " " + parts.objectID + " " + key
		switch {
		case component == nil:
			errs = append(errs, fmt.Errorf("%s: a component is an object", e.label))
		case !safeID.MatchString(key):
			errs = append(errs, fmt.Errorf("%s: the key has other characters than a-z A-Z 0-9 _ -", e.label))
		case len(component) == 1 && slices.Contains(platforms, e.platform):
			a.removed = append(a.removed, e.identity) // a component with only a platform is removed
		default:
			for _, option := range []string{"availability", "availability_mode"} {
				if _, overridden := component[option]; !overridden && root[option] != nil {
					e.options[option] = root[option]
				}
			}
			errs = append(errs, checkEntity(&e)...)
			a.entities = append(a.entities, e)
		}
	}
	return errs
}

// deviceLevel takes the place of the platform in topics of Device style.
const deviceLevel = "device"

// platforms are the platforms that hanbridge announces. hanbridge uses no others, because a hub refuses a whole device if it does not know the platform
// of one entity.
var platforms = []string{"sensor", "binary_sensor"}

// A topicParts has the parts of a discovery topic. In Device style, platform is deviceLevel, nodeID is "", and objectID is the id of the device.
// In Component style, nodeID is the id of the device, and objectID is the key of the component. checkRoot refuses other topics.
type topicParts struct{ platform, nodeID, objectID string }

var safeID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// parseTopic splits <prefix>/<platform>/[<node id>/]<object id>/config. The prefix can have several levels.
func parseTopic(topic string) (topicParts, error) {
	levels := strings.Split(topic, "/")
	n := len(levels)
	if n < 4 || levels[n-1] != "config" {
		return topicParts{}, fmt.Errorf("topic %s: no discovery topic", topic)
	}
	parts := topicParts{objectID: levels[n-2]}
	switch {
	case n > 4 && isPlatformOrDevice(levels[n-4]):
		parts.platform, parts.nodeID = levels[n-4], levels[n-3]
	case isPlatformOrDevice(levels[n-3]):
		parts.platform = levels[n-3]
	default:
		return topicParts{}, fmt.Errorf("topic %s: no platform that hanbridge announces", topic)
	}
	if !safeID.MatchString(parts.objectID) || parts.nodeID != "" && !safeID.MatchString(parts.nodeID) {
		return topicParts{}, fmt.Errorf("topic %s: an id has other characters than a-z A-Z 0-9 _ -", topic)
	}
	return parts, nil
}

// isPlatformOrDevice reports whether a level of a topic is one of platforms, or deviceLevel.
func isPlatformOrDevice(level string) bool {
	return level == deviceLevel || slices.Contains(platforms, level)
}
