package hatest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Hub is a small model of Home Assistant: how it processes discovery messages, and which entities it remembers. Unlike Home Assistant it
// finishes each message before the next, so that there are no races.
type Hub struct {
	prefix   string
	owners   map[string]owner   // by identity, such as "sensor hanbridge_house gas"
	registry map[string]*Entity // by platform and unique_id, such as "sensor hanbridge_house_gas"
	devices  map[string]bool
	created  int // how many entities the hub has created
	// Warnings are the warnings that the hub writes into its log, in order.
	Warnings []string
}

// An owner is the topic that owns an entity, and the entity's key in the registry. No other topic can change or remove the entity.
type owner struct{ topic, registryKey string }

// An Entity is an entity in the registry of a hub.
type Entity struct {
	// ID is the entity id that people see: "sensor.house_gas".
	ID string
	// UniqueID is the announced unique id.
	UniqueID string
	// Topic is the topic that announces it. It is "" for an entity that the hub remembers although no topic announces it. The hub
	// shows such an entity as unavailable.
	Topic string
	// Created numbers the entities in the order in which the hub created them. If the number differs after a change, the entity was
	// removed in between, and lost its name, its settings and its place in dashboards.
	Created int
}

// NewHub returns a hub that subscribes to a discovery prefix.
func NewHub(prefix string) *Hub {
	return &Hub{prefix: prefix, owners: map[string]owner{}, registry: map[string]*Entity{}, devices: map[string]bool{}}
}

// Entities returns all entities of the registry, in the order of platform and unique id.
func (h *Hub) Entities() []Entity {
	var all []Entity
	for _, key := range slices.Sorted(maps.Keys(h.registry)) {
		all = append(all, *h.registry[key])
	}
	return all
}

// Restart drops all state but the registry, which is on disk. Then the hub receives the retained messages: topics of single components
// before topics of devices.
func (h *Hub) Restart(retained map[string][]byte) {
	clear(h.owners)
	for _, e := range h.registry {
		e.Topic = ""
	}
	for _, isDevice := range []bool{false, true} {
		for _, topic := range slices.Sorted(maps.Keys(retained)) {
			if strings.Contains(topic, "/"+devicePlatform+"/") == isDevice {
				h.Receive(topic, retained[topic])
			}
		}
	}
}

// Receive processes one message. It ignores topics that are not below the prefix.
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
	for _, identity := range a.removed {
		if o, ok := h.owners[identity]; ok && o.topic == topic {
			delete(h.owners, identity)
			delete(h.registry, o.registryKey)
		}
	}
	if via := text(a.device, "via_device"); via != "" && !h.devices[via] {
		h.warn("%s: via_device %s is not known yet", topic, via)
	}
	for i := range a.entities {
		h.add(topic, &a.entities[i])
	}
}

// release ends the ownership of a topic: no topic announces its entities any more. If remove is true, it also removes them from the
// registry.
func (h *Hub) release(topic string, remove bool) {
	for identity, o := range h.owners {
		if o.topic != topic {
			continue
		}
		delete(h.owners, identity)
		h.registry[o.registryKey].Topic = ""
		if remove {
			delete(h.registry, o.registryKey)
		}
	}
}

// add creates or updates an entity. The first topic that announces an entity owns it.
func (h *Hub) add(topic string, e *entity) {
	for _, id := range identifiers(e.device) {
		h.devices[id] = true
	}
	registryKey := e.platform + " " + e.text("unique_id")
	if o, ok := h.owners[e.identity]; ok {
		if o.topic != topic {
			h.warn("%s: conflicts with %s, which came first", e.label, o.topic)
		}
		return
	}
	known := h.registry[registryKey]
	if known != nil && known.Topic != "" {
		h.warn("%s: unique_id %s is taken", e.label, e.text("unique_id"))
		return
	}
	if known == nil {
		h.created++
		known = &Entity{ID: h.freeEntityID(e), UniqueID: e.text("unique_id"), Created: h.created}
		h.registry[registryKey] = known
	}
	known.Topic = topic
	h.owners[e.identity] = owner{topic, registryKey}
}

// freeEntityID returns the wanted entity id, with a number appended if it is taken.
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
