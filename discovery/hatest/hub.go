package hatest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Hub is a small model of Home Assistant: what it makes of discovery messages, one after the other, and what it remembers.
// Time does not pass in it: what it is told comes always after it has worked through what came before.
type Hub struct {
	prefix   string
	owners   map[string]owner   // by place: "sensor hanbridge_house gas"
	registry map[string]*Entity // by "sensor hanbridge_house_gas", its unique_id
	devices  map[string]bool
	created  int
	// Warnings is what a hub would write into its log, in order.
	Warnings []string
}

// live is an entity that a topic owns: no other topic can change or remove it.
type owner struct{ topic, registryKey string }

// An Entity is one that a hub knows.
type Entity struct {
	// ID is by what people know it: "sensor.house_gas". UniqueID is what was announced.
	ID, UniqueID string
	// Topic is what announced it. "" for one that the hub remembers and nobody announces: it shows as unavailable.
	Topic string
	// Created is the number of its birth in this hub. Another one after a change means that the entity was removed between,
	// with its name, its settings and its place in dashboards.
	Created int
}

// NewHub returns a hub that listens to a discovery prefix.
func NewHub(prefix string) *Hub {
	return &Hub{prefix: prefix, owners: map[string]owner{}, registry: map[string]*Entity{}, devices: map[string]bool{}}
}

// Entities returns all that the hub knows, in the order of their unique_ids.
func (h *Hub) Entities() []Entity {
	var all []Entity
	for _, who := range slices.Sorted(maps.Keys(h.registry)) {
		all = append(all, *h.registry[who])
	}
	return all
}

// Restart makes the hub forget all but what it keeps of entities on its disk, and hear what the broker retains: topics of
// single components before those of devices.
func (h *Hub) Restart(retained map[string][]byte) {
	clear(h.owners)
	for _, e := range h.registry {
		e.Topic = ""
	}
	for _, devices := range []bool{false, true} {
		for _, topic := range slices.Sorted(maps.Keys(retained)) {
			if strings.Contains(topic, "/"+devicePlatform+"/") == devices {
				h.Receive(topic, retained[topic])
			}
		}
	}
}

// Receive takes one message. What is not below the hub's prefix it does not hear.
func (h *Hub) Receive(topic string, payload []byte) {
	below, ok := strings.CutPrefix(topic, h.prefix+"/")
	if levels := strings.Split(below, "/"); !ok || len(levels) < 3 || len(levels) > 4 || !isPlatform(levels[0]) {
		return
	}
	if len(payload) == 0 {
		h.release(topic, true)
		return
	}
	a, errs := parseMessage(topic, payload)
	for _, err := range errs {
		h.warn("%v", err)
	}
	if a == nil || len(errs) > 0 {
		return
	}
	if a.releases {
		h.release(topic, false)
	}
	for _, place := range a.removed {
		if l, ok := h.owners[place]; ok && l.topic == topic {
			delete(h.owners, place)
			delete(h.registry, l.registryKey)
		}
	}
	if via := text(a.device, "via_device"); via != "" && !h.devices[via] {
		h.warn("%s: via_device %s is not known yet", topic, via)
	}
	for i := range a.entities {
		h.add(topic, &a.entities[i])
	}
}

// leave lets go of all that a topic owns; where it is to be forgotten too, the registry loses it.
func (h *Hub) release(topic string, forget bool) {
	for place, l := range h.owners {
		if l.topic != topic {
			continue
		}
		delete(h.owners, place)
		h.registry[l.registryKey].Topic = ""
		if forget {
			delete(h.registry, l.registryKey)
		}
	}
}

// add sets an entity up, or updates it: whoever came first owns its place.
func (h *Hub) add(topic string, e *entity) {
	for _, id := range identifiers(e.device) {
		h.devices[id] = true
	}
	who := e.platform + " " + e.text("unique_id")
	if l, ok := h.owners[e.identity]; ok {
		if l.topic != topic {
			h.warn("%s: conflicts with %s, which came first", e.label, l.topic)
		}
		return
	}
	known := h.registry[who]
	if known != nil && known.Topic != "" {
		h.warn("%s: unique_id %s is taken", e.label, e.text("unique_id"))
		return
	}
	if known == nil {
		h.created++
		known = &Entity{ID: h.freeEntityID(e), UniqueID: e.text("unique_id"), Created: h.created}
		h.registry[who] = known
	}
	known.Topic = topic
	h.owners[e.identity] = owner{topic, who}
}

// free returns the entity id that is wanted, with a number behind it where it is taken.
func (h *Hub) freeEntityID(e *entity) string {
	wanted := cmp.Or(e.text("default_entity_id"), e.platform+"."+e.text("unique_id"))
	taken := map[string]bool{}
	for _, e := range h.registry {
		taken[e.ID] = true
	}
	id := wanted
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s_%d", wanted, n)
	}
	return id
}

func (h *Hub) warn(format string, args ...any) {
	h.Warnings = append(h.Warnings, fmt.Sprintf(format, args...))
}
