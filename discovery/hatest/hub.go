package hatest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Hub is a small model of Home Assistant. It processes discovery messages and remembers entities. Unlike Home Assistant, it has
// processed each message before it begins with the next message.
type Hub struct {
	prefix   string
	owners   map[string]owner   // by identity, such as "sensor hanbridge_house gas"
	registry map[string]*Entity // by platform and unique_id, such as "sensor hanbridge_house_gas"
	devices  map[string]bool    // the identifiers of known devices
	created  int                // how many entities the hub has created
	// Warnings are the warnings that the hub writes into its log, in order.
	Warnings []string
}

// An owner is the topic that owns an entity, and the entity's key in the registry. No other topic can change or remove the entity.
type owner struct{ topic, registryKey string }

// An Entity is an entity in the registry of a hub.
type Entity struct {
	// ID is the entity id that people see, such as "sensor.house_gas".
	ID string
	// UniqueID is the announced unique id.
	UniqueID string
	// Topic is the topic that announces the entity. If no topic announces it, Topic is "". The hub remembers the entity, but shows it as
	// unavailable.
	Topic string
	// Created numbers the entities in the order in which the hub created them. If the number differs after a change, the entity was removed
	// and created again. It has then lost its name, its settings and its place in dashboards.
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

// Restart drops all state except the registry, which Home Assistant stores on disk. Then the hub receives the retained messages in Component
// style, and after them the retained messages in Device style.
func (h *Hub) Restart(retained map[string][]byte) {
	clear(h.owners)
	for _, e := range h.registry {
		e.Topic = ""
	}
	for _, isDeviceStyle := range []bool{false, true} {
		for _, topic := range slices.Sorted(maps.Keys(retained)) {
			if strings.Contains(topic, "/"+deviceLevel+"/") == isDeviceStyle {
				h.Receive(topic, retained[topic])
			}
		}
	}
}

// Receive processes one message. It ignores topics that are not below the prefix.
func (h *Hub) Receive(topic string, payload []byte) {
	below, ok := strings.CutPrefix(topic, h.prefix+"/")
	levels := strings.Split(below, "/") // the platform or "device", possibly a node id, the object id, and "config"
	if !ok || len(levels) < 3 || len(levels) > 4 || !isPlatformOrDevice(levels[0]) {
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

// release ends the ownership of the entities that a topic owns. If remove is true, it also removes these entities from the registry.
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

// add records that a topic announces an entity. It creates the entity if the registry does not have it. The first topic that announces an
// entity owns the entity. If another topic announces the entity too, or if another entity has the same unique id, the hub only logs a warning.
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
	registered := h.registry[registryKey]
	if registered != nil && registered.Topic != "" { // another entity with the same unique id
		h.warn("%s: unique_id %s is taken", e.label, e.text("unique_id"))
		return
	}
	if registered == nil {
		h.created++
		registered = &Entity{ID: h.freeEntityID(e), UniqueID: e.text("unique_id"), Created: h.created}
		h.registry[registryKey] = registered
	}
	registered.Topic = topic
	h.owners[e.identity] = owner{topic, registryKey}
}

// freeEntityID returns the announced entity id. If another entity has this id, a number is appended.
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
