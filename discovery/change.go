package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// StepPause is the least time between two steps of a change. Home Assistant works through a message in the background: one
// that comes meanwhile is queued, and of a device's new version the components are passed over.
const StepPause = time.Second

// PlanChange returns how to get from what is held to exactly what is wanted: messages in steps, StepPause after each, without
// an entity lost that is in both. Where nothing has to be taken back this is one step, the wanted messages. It also returns
// what is held at the end.
//
// Keep held.Union(now) before the first message is published and now after the last. Whoever was interrupted calls PlanChange
// again with what was kept, also when something else is wanted by then: every step may be repeated. Where nothing was kept,
// AnnouncedBy of what the broker retains serves as well, as long as the same is wanted.
//
// What is held of a meter must come with what is wanted of it: held.OfMeter(id) for one meter alone. No wanted messages take
// everything back.
func PlanChange(held Announced, wanted []Message) (steps [][]Message, now Announced) {
	now = AnnouncedBy(wanted)
	c := change{held: held, wanted: wanted, now: now, entities: entitiesOf(now)}
	for _, topic := range slices.Sorted(maps.Keys(held)) {
		if p, ok := placeOf(topic); ok {
			c.leave(p)
		}
	}
	c.steps[announcing] = wanted
	return slices.DeleteFunc(c.steps[:], func(s []Message) bool { return len(s) == 0 }), c.now
}

// The steps, in order.
const (
	reviving   = iota // what a hub may have let go of without forgetting it: only then can it be removed
	removing          // entities that are not wanted, while their topics still own them
	migrating         // the hub lets go of entities whose topics are not wanted, and keeps names, ids and history
	announcing        // what is wanted
	cleaning          // topics that own nothing
	stepCount
)

type change struct {
	held, now Announced
	wanted    []Message
	entities  map[place]bool // those that are wanted
	steps     [stepCount][]Message
}

func (c *change) add(step int, p place, payload []byte) {
	c.steps[step] = append(c.steps[step], Message{p.topic(), payload})
}

// migration tells a hub that the topic's entities will come by another one.
var migration = []byte(`{"migrate_discovery":true}`)

// leave takes back what the topic of a place announces and nobody wants, and the topic itself if it is not wanted.
func (c *change) leave(p place) {
	gone := map[string]string{}
	keys := c.held[p.topic()]
	for key, platform := range keys {
		if !c.entities[p.entity(key, platform)] {
			gone[key] = platform
		}
	}
	if len(gone) > 0 && c.interrupted(p) {
		c.add(reviving, p, lastWill(p))
	}
	_, stays := c.now[p.topic()]
	switch {
	case stays && len(gone) == 0:
		return
	case stays:
		c.add(removing, p, removal(p, c.payload(p), gone))
	case len(gone) == len(keys) && !c.moves(p):
		c.add(removing, p, nil)
	default:
		if len(gone) > 0 {
			c.add(removing, p, removal(p, nil, gone))
		}
		c.add(migrating, p, migration)
		c.add(cleaning, p, nil)
	}
}

// interrupted tells if an entity with a topic of its own is also held by the topic of its device: it was on its way from one
// to the other, and perhaps neither owns it.
func (c *change) interrupted(p place) bool {
	whole := place{prefix: p.prefix, device: p.device}
	return p.key != "" && c.held[whole.topic()][p.key] == p.platform
}

// moves tells if a topic is that of a device which is wanted in the other style. It is never just taken back: what the broker
// keeps of an interrupted change need not name all that the topic owns.
func (c *change) moves(p place) bool {
	if p.key != "" {
		return false
	}
	for e := range c.entities {
		if e.prefix == p.prefix && e.device == p.device {
			return true
		}
	}
	return false
}

func (c *change) payload(p place) []byte {
	i := slices.IndexFunc(c.wanted, func(m Message) bool { return m.Topic == p.topic() })
	return c.wanted[i].Payload
}

// lastWill announces an entity once more, with the least that a hub takes.
func lastWill(p place) []byte {
	return encode(componentPayload{
		entity{
			Name: p.key, UniqueID: p.device + "_" + p.key, EntityID: p.platform + "." + slug(p.device+"_"+p.key),
			Topic: program + "/gone", Category: diagnosticCategory, QoS: 1,
		},
		deviceInfo{Identifiers: []string{p.device}, Name: p.device}, originInfo{Name: program, Support: home},
	})
}

// removal is a device's payload in which the components that are gone have nothing but their platform: leaving them out does
// nothing before the hub's next start, and then they linger. Without a payload it says nothing else: what it leaves out stays.
func removal(p place, payload []byte, gone map[string]string) []byte {
	if payload == nil {
		payload = encode(devicePayload{
			Device: deviceInfo{Identifiers: []string{p.device}, Name: p.device}, Origin: originInfo{Name: program, Support: home},
			Components: map[string]entity{},
		})
	}
	var root map[string]any
	if err := json.Unmarshal(payload, &root); err != nil {
		panic("discovery: " + err.Error()) // encode made it
	}
	components, _ := root["components"].(map[string]any)
	for key, platform := range gone {
		components[key] = map[string]string{"platform": platform}
	}
	return encode(root)
}
