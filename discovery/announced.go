package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Announced records what has been announced and not taken back: the platform of each component, by discovery topic and by component key.
// A bridge saves it as JSON, to know after a restart what to take back. A nil Announced is empty. Its methods do not change it.
type Announced map[string]map[string]string

// AnnouncedBy returns what messages announce: messages to publish, or messages that a broker retains. It ignores other programs and empty
// payloads. It cannot distinguish several bridges on one broker: see OfMeter.
//
// If a change of style was interrupted, the broker retains the topic of the device without the keys of its components.
func AnnouncedBy(messages []Message) Announced {
	h := Announced{}
	for _, m := range messages {
		p, ok := parseTopic(m.Topic)
		if !ok {
			continue
		}
		if keys := keysOf(p, m.Payload); keys != nil {
			h[m.Topic] = keys
		}
	}
	return h
}

// keysOf returns the platforms of a payload's components by key. It returns nil if another program made the payload.
func keysOf(p topicParts, payload []byte) map[string]string {
	var root struct {
		Migrate    bool `json:"migrate_discovery"`
		Origin     originInfo
		Components map[string]struct{ Platform string }
	}
	if json.Unmarshal(payload, &root) != nil || !root.Migrate && root.Origin.Name != program {
		return nil
	}
	if p.key != "" {
		return map[string]string{p.key: p.platform}
	}
	keys := map[string]string{}
	for key, component := range root.Components {
		keys[key] = component.Platform
	}
	return keys
}

// OfMeter returns the part that concerns the meter with an ID. The ID "bridge" stands for the bridge's own device.
func (h Announced) OfMeter(meter string) Announced {
	return h.filter(func(p topicParts) bool { return p.device == program+"_"+meter })
}

// UnderPrefix returns the part whose topics are under a discovery prefix.
func (h Announced) UnderPrefix(prefix string) Announced {
	return h.filter(func(p topicParts) bool { return p.prefix == prefix })
}

// filter returns the topics for which in returns true.
func (h Announced) filter(in func(topicParts) bool) Announced {
	part := maps.Clone(h)
	maps.DeleteFunc(part, func(topic string, _ map[string]string) bool {
		p, ok := parseTopic(topic)
		return !ok || !in(p)
	})
	return part
}

// MeterIDs returns the sorted IDs of all meters in h. The bridge's own device has the ID "bridge".
func (h Announced) MeterIDs() (ids []string) {
	for topic := range h {
		if p, ok := parseTopic(topic); ok {
			ids = append(ids, strings.TrimPrefix(p.device, program+"_"))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Minus returns h without the components of part.
func (h Announced) Minus(part Announced) Announced {
	rest := Announced{}
	for topic, keys := range h {
		is, both := part[topic]
		left := maps.Clone(keys)
		maps.DeleteFunc(left, func(key, _ string) bool { return is[key] != "" })
		if !both || len(left) > 0 {
			rest[topic] = left
		}
	}
	return rest
}

// Unwanted returns the components whose entities no wanted message announces, in either style.
func (h Announced) Unwanted(wanted []Message) Announced {
	entities, part := entitiesOf(AnnouncedBy(wanted)), Announced{}
	for topic, keys := range h {
		p, _ := parseTopic(topic)
		gone := maps.Clone(keys)
		maps.DeleteFunc(gone, func(key, platform string) bool { return entities[p.entityTopic(key, platform)] })
		if len(gone) > 0 {
			part[topic] = gone
		}
	}
	return part
}

// entitiesOf returns the entities of h, each by its topic in Component style.
func entitiesOf(h Announced) map[topicParts]bool {
	all := map[topicParts]bool{}
	for topic, keys := range h {
		p, _ := parseTopic(topic)
		for key, platform := range keys {
			all[p.entityTopic(key, platform)] = true
		}
	}
	return all
}

// Union returns the components of h and of more.
func (h Announced) Union(more Announced) Announced {
	both := Announced{}
	for _, part := range []Announced{h, more} {
		for topic, keys := range part {
			if both[topic] == nil {
				both[topic] = map[string]string{}
			}
			maps.Copy(both[topic], keys)
		}
	}
	return both
}
