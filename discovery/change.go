package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// StepPause is the shortest time between two steps of a change. Home Assistant processes a discovery message in the background. While it
// does, it queues other messages, and ignores the components of a new message of the same device.
const StepPause = time.Second

// PlanChange returns the messages that turn what is announced into exactly what is wanted, in steps with StepPause after each. No entity
// that is in both is lost. If nothing has to be taken back, there is one step: the wanted messages. after is what is announced at the end.
//
// Save announced.Union(after) before the first message is published, and after when the last one is. A program that was interrupted calls
// PlanChange again with what it saved, even if something else is wanted by then: every step may be repeated. If nothing was saved,
// AnnouncedBy of the retained messages is enough, as long as the same is wanted.
//
// announced and wanted must concern the same meters: for one meter, pass announced.OfMeter(id). An empty wanted takes everything back.
func PlanChange(announced Announced, wanted []Message) (steps [][]Message, after Announced) {
	after = AnnouncedBy(wanted)
	c := changePlan{announced: announced, wanted: wanted, after: after, entities: entitiesOf(after)}
	for _, topic := range slices.Sorted(maps.Keys(announced)) {
		if p, ok := parseTopic(topic); ok {
			c.takeBack(p)
		}
	}
	c.steps[announceWanted] = wanted
	return slices.DeleteFunc(c.steps[:], func(s []Message) bool { return len(s) == 0 }), c.after
}

// The steps of a change, in order.
const (
	announceAgain   = iota // entities that no topic may own after an interruption: only an owned entity can be removed
	removeEntities         // entities that are not wanted
	releaseEntities        // the hub releases the entities of topics that are not wanted, and keeps their names, ids and history
	announceWanted         // the wanted messages
	clearTopics            // topics that own nothing any more
	stepCount
)

// A changePlan collects the messages of a change.
type changePlan struct {
	announced, after Announced
	wanted           []Message
	entities         map[topicParts]bool // the wanted ones
	steps            [stepCount][]Message
}

func (c *changePlan) add(step int, p topicParts, payload []byte) {
	c.steps[step] = append(c.steps[step], Message{p.topic(), payload})
}

// migration tells a hub to release the topic's entities, which another topic will announce.
var migration = []byte(`{"migrate_discovery":true}`)

// takeBack adds the messages that remove the unwanted entities of a topic, and the topic itself if it is not wanted.
func (c *changePlan) takeBack(p topicParts) {
	gone := map[string]string{}
	keys := c.announced[p.topic()]
	for key, platform := range keys {
		if !c.entities[p.entityTopic(key, platform)] {
			gone[key] = platform
		}
	}
	if len(gone) > 0 && c.interrupted(p) {
		c.add(announceAgain, p, minimalAnnouncement(p))
	}
	_, stays := c.after[p.topic()]
	switch {
	case stays && len(gone) == 0:
		return
	case stays:
		c.add(removeEntities, p, removal(p, c.payload(p), gone))
	case len(gone) == len(keys) && !c.changesStyle(p):
		c.add(removeEntities, p, nil)
	default:
		if len(gone) > 0 {
			c.add(removeEntities, p, removal(p, nil, gone))
		}
		c.add(releaseEntities, p, migration)
		c.add(clearTopics, p, nil)
	}
}

// interrupted reports whether an entity is announced both by a topic of its own and by the topic of its device. Then a change of style was
// interrupted, and perhaps neither topic owns the entity.
func (c *changePlan) interrupted(p topicParts) bool {
	whole := topicParts{prefix: p.prefix, device: p.device}
	return p.key != "" && c.announced[whole.topic()][p.key] == p.platform
}

// changesStyle reports whether p is the topic of a device that is wanted in the other style. Such a topic must not be cleared at once:
// after an interrupted change the retained message may not name all entities that the topic owns.
func (c *changePlan) changesStyle(p topicParts) bool {
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

// payload returns the wanted payload of a topic.
func (c *changePlan) payload(p topicParts) []byte {
	i := slices.IndexFunc(c.wanted, func(m Message) bool { return m.Topic == p.topic() })
	return c.wanted[i].Payload
}

// minimalAnnouncement returns a payload that announces an entity with the fewest options that a hub accepts.
func minimalAnnouncement(p topicParts) []byte {
	return encode(componentPayload{
		entity{
			Name: p.key, UniqueID: p.device + "_" + p.key, EntityID: p.platform + "." + slug(p.device+"_"+p.key),
			Topic: program + "/gone", Category: diagnosticCategory, QoS: 1,
		},
		deviceInfo{Identifiers: []string{p.device}, Name: p.device}, originInfo{Name: program, Support: homepage},
	})
}

// removal returns a device's payload in which the components that are gone have only their platform, which removes them. A hub keeps the
// components that a payload leaves out. If payload is nil, the result has no other components.
func removal(p topicParts, payload []byte, gone map[string]string) []byte {
	if payload == nil {
		payload = encode(devicePayload{
			Device: deviceInfo{Identifiers: []string{p.device}, Name: p.device}, Origin: originInfo{Name: program, Support: homepage},
			Components: map[string]entity{},
		})
	}
	var root map[string]any
	if err := json.Unmarshal(payload, &root); err != nil {
		panic("discovery: " + err.Error()) // encode made the payload
	}
	components, _ := root["components"].(map[string]any)
	for key, platform := range gone {
		components[key] = map[string]string{"platform": platform}
	}
	return encode(root)
}
