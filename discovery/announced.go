package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Announced has the platform of each announced component, by discovery topic and by component key. A bridge saves it as JSON, and so knows
// after a restart which announcements it must possibly remove. A nil Announced is empty. The methods do not change their receiver.
type Announced map[string]map[string]string

// AnnouncedBy returns the components that messages announce. The messages are messages to publish, or messages that a broker retains.
// AnnouncedBy ignores the messages of other programs and empty payloads. It does not ignore the meters of other bridges; OfMeter selects one
// meter.
//
// If a change of style was interrupted, a broker can retain a message that only releases the entities of a device. In the result, the topic of
// this message has no component keys.
func AnnouncedBy(messages []Message) Announced {
	a := Announced{}
	for _, m := range messages {
		p, ok := parseTopic(m.Topic)
		if !ok {
			continue
		}
		if platforms := platformsByKey(p, m.Payload); platforms != nil {
			a[m.Topic] = platforms
		}
	}
	return a
}

// platformsByKey returns the platform of each component of a payload, by component key. It returns nil if the payload is empty or from
// another program.
func platformsByKey(p topicParts, payload []byte) map[string]string {
	var root struct {
		Migrate    bool `json:"migrate_discovery"` // the only member of a message that releases entities
		Origin     originInfo
		Components map[string]struct{ Platform string }
	}
	if json.Unmarshal(payload, &root) != nil || !root.Migrate && root.Origin.Name != program {
		return nil
	}
	if p.key != "" {
		return map[string]string{p.key: p.platform}
	}
	platforms := map[string]string{}
	for key, component := range root.Components {
		platforms[key] = component.Platform
	}
	return platforms
}

// OfMeter returns the components of the meter with the given ID. The ID "bridge" stands for the device of the bridge.
func (a Announced) OfMeter(meter string) Announced {
	return a.filter(func(p topicParts) bool { return p.device == program+"_"+meter })
}

// UnderPrefix returns the components whose topics are below a discovery prefix.
func (a Announced) UnderPrefix(prefix string) Announced {
	return a.filter(func(p topicParts) bool { return p.prefix == prefix })
}

// filter returns the topics for which match returns true.
func (a Announced) filter(match func(topicParts) bool) Announced {
	part := maps.Clone(a)
	maps.DeleteFunc(part, func(topic string, _ map[string]string) bool {
		p, ok := parseTopic(topic)
		return !ok || !match(p)
	})
	return part
}

// MeterIDs returns the sorted IDs of all meters in a. The device of the bridge has the ID "bridge".
func (a Announced) MeterIDs() (ids []string) {
	for topic := range a {
		if p, ok := parseTopic(topic); ok {
			ids = append(ids, strings.TrimPrefix(p.device, program+"_"))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Minus returns the components of a that part does not have.
func (a Announced) Minus(part Announced) Announced {
	rest := Announced{}
	for topic, platforms := range a {
		partPlatforms, inPart := part[topic]
		remaining := maps.Clone(platforms)
		maps.DeleteFunc(remaining, func(key, _ string) bool { return partPlatforms[key] != "" })
		if !inPart || len(remaining) > 0 { // a topic that had no components in a remains, unless part has the topic
			rest[topic] = remaining
		}
	}
	return rest
}

// Unwanted returns the components of a that the wanted messages announce in neither style.
func (a Announced) Unwanted(wanted []Message) Announced {
	wantedEntities, part := entitiesOf(AnnouncedBy(wanted)), Announced{}
	for topic, platforms := range a {
		p, _ := parseTopic(topic)
		unwanted := maps.Clone(platforms)
		maps.DeleteFunc(unwanted, func(key, platform string) bool { return wantedEntities[p.entityTopic(key, platform)] })
		if len(unwanted) > 0 {
			part[topic] = unwanted
		}
	}
	return part
}

// entitiesOf returns the entities of a. An entity is identified by its topic in Component style.
func entitiesOf(a Announced) map[topicParts]bool {
	all := map[topicParts]bool{}
	for topic, platforms := range a {
		p, _ := parseTopic(topic)
		for key, platform := range platforms {
			all[p.entityTopic(key, platform)] = true
		}
	}
	return all
}

// Union returns the components of a and of more.
func (a Announced) Union(more Announced) Announced {
	both := Announced{}
	for _, part := range []Announced{a, more} {
		for topic, platforms := range part {
			if both[topic] == nil {
				both[topic] = map[string]string{}
			}
			maps.Copy(both[topic], platforms)
		}
	}
	return both
}
