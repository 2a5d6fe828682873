package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Announced is what has been announced and not been taken back: for each discovery topic the keys of its components, and the
// platform of each. It is to be kept over restarts, as JSON. A nil one holds nothing. Its methods do not change it.
type Announced map[string]map[string]string

// AnnouncedBy returns what messages announce: those that are to be published, or those that a broker retains. What other programs
// announced, and what was taken back, does not count. It takes every bridge on the broker for this one: see OfMeter.
//
// Of a device whose move to the other style was interrupted the broker keeps the topic alone, not its keys.
func AnnouncedBy(messages []Message) Announced {
	h := Announced{}
	for _, m := range messages {
		p, ok := placeOf(m.Topic)
		if !ok {
			continue
		}
		if keys := keysOf(p, m.Payload); keys != nil {
			h[m.Topic] = keys
		}
	}
	return h
}

// keysOf returns nil for a payload that is not this program's.
func keysOf(p place, payload []byte) map[string]string {
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

// OfMeter returns the part of one meter, by its ID; "bridge" is the bridge's own device.
func (h Announced) OfMeter(meter string) Announced {
	return h.where(func(p place) bool { return p.device == program+"_"+meter })
}

// UnderPrefix returns the part that is announced under a discovery prefix.
func (h Announced) UnderPrefix(prefix string) Announced {
	return h.where(func(p place) bool { return p.prefix == prefix })
}

func (h Announced) where(in func(place) bool) Announced {
	part := maps.Clone(h)
	maps.DeleteFunc(part, func(topic string, _ map[string]string) bool {
		p, ok := placeOf(topic)
		return !ok || !in(p)
	})
	return part
}

// MeterIDs returns the IDs of all meters of which something is held, "bridge" among them, in order.
func (h Announced) MeterIDs() (ids []string) {
	for topic := range h {
		if p, ok := placeOf(topic); ok {
			ids = append(ids, strings.TrimPrefix(p.device, program+"_"))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Minus returns what is held besides a part.
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

// Unwanted returns the part of which nothing is wanted: keys whose entities no wanted message announces, in whatever style.
func (h Announced) Unwanted(wanted []Message) Announced {
	entities, part := entitiesOf(AnnouncedBy(wanted)), Announced{}
	for topic, keys := range h {
		p, _ := placeOf(topic)
		gone := maps.Clone(keys)
		maps.DeleteFunc(gone, func(key, platform string) bool { return entities[p.entity(key, platform)] })
		if len(gone) > 0 {
			part[topic] = gone
		}
	}
	return part
}

// entitiesOf returns the entities that are held, whatever topic announces them.
func entitiesOf(h Announced) map[place]bool {
	all := map[place]bool{}
	for topic, keys := range h {
		p, _ := placeOf(topic)
		for key, platform := range keys {
			all[p.entity(key, platform)] = true
		}
	}
	return all
}

// Union returns what is held when more is announced.
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
