package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// StepPause is the shortest time between two steps of a change. Home Assistant processes a discovery message in the background. Until that
// is finished, Home Assistant queues other messages, and ignores the components in a new message of the same device.
const StepPause = time.Second

// PlanChange returns the messages that replace the announced entities by exactly the wanted ones. Publish step after step, with StepPause
// after each. An entity that is both announced and wanted is not lost. If no announcement must be removed, the only step is wanted. after
// is what is announced once all steps are published.
//
// Save announced.Union(after) before you publish the first message, and save after once the last message is published. If the program is
// interrupted, it calls PlanChange again with the saved value. Other messages can be wanted by then, because every step can be repeated. If
// no value was saved, AnnouncedBy of the retained messages is enough, provided that the wanted messages are the same.
//
// announced and wanted must concern the same meters: for one meter, pass announced.OfMeter(id). An empty wanted removes all announcements.
func PlanChange(announced Announced, wanted []Message) (steps [][]Message, after Announced) {
	after = AnnouncedBy(wanted)
	c := changePlan{announced: announced, wanted: wanted, after: after, wantedEntities: entitiesOf(after)}
	for _, topic := range slices.Sorted(maps.Keys(announced)) {
		if p, ok := parseTopic(topic); ok {
			c.removeUnwanted(p)
		}
	}
	c.steps[announceWanted] = wanted
	return slices.DeleteFunc(c.steps[:], func(s []Message) bool { return len(s) == 0 }), c.after
}

// The steps of a change, in order.
const (
	announceAgain   = iota // announces entities that possibly no topic owns, because a hub removes only an entity that a topic owns
	removeEntities         // removes the entities that are not wanted
	releaseEntities        // a hub detaches entities from topics that are not wanted; it remembers their names, ids and history
	announceWanted         // the wanted messages
	clearTopics            // removes the retained messages of topics that own no entity any more
	stepCount
)

// A changePlan collects the messages of a change.
type changePlan struct {
	announced, after Announced
	wanted           []Message
	wantedEntities   map[topicParts]bool // by their topics in Component style
	steps            [stepCount][]Message
}

func (c *changePlan) add(step int, p topicParts, payload []byte) {
	c.steps[step] = append(c.steps[step], Message{p.topic(), payload})
}

// migration tells a hub to release the topic's entities: they belong to no topic until another topic announces them.
var migration = []byte(`{"migrate_discovery":true}`)

// removeUnwanted adds the messages that remove the unwanted entities of a topic, and the topic itself if it is not wanted.
func (c *changePlan) removeUnwanted(p topicParts) {
	unwanted := map[string]string{} // platforms by component key
	platforms := c.announced[p.topic()]
	for key, platform := range platforms {
		if !c.wantedEntities[p.entityTopic(key, platform)] {
			unwanted[key] = platform
		}
	}
	if len(unwanted) > 0 && c.interrupted(p) {
		c.add(announceAgain, p, minimalAnnouncement(p))
	}
	_, topicWanted := c.after[p.topic()]
	switch {
	case topicWanted && len(unwanted) == 0:
		return
	case topicWanted:
		c.add(removeEntities, p, removal(p, c.payload(p), unwanted))
	case len(unwanted) == len(platforms) && !c.changesStyle(p):
		c.add(removeEntities, p, nil) // an empty payload removes all entities of the topic
	default:
		if len(unwanted) > 0 {
			c.add(removeEntities, p, removal(p, nil, unwanted))
		}
		c.add(releaseEntities, p, migration)
		c.add(clearTopics, p, nil)
	}
}

// interrupted reports whether an entity is announced both by a topic of its own and by the topic of its device. Then a change of style was
// interrupted, and perhaps neither topic owns the entity.
func (c *changePlan) interrupted(p topicParts) bool {
	deviceTopic := topicParts{prefix: p.prefix, device: p.device}
	return p.key != "" && c.announced[deviceTopic.topic()][p.key] == p.platform
}

// changesStyle reports whether p is the topic of a device that is wanted in Component style. Such a topic must not be cleared at once,
// because that removes all its entities. After an interrupted change these are possibly more than the retained message names.
func (c *changePlan) changesStyle(p topicParts) bool {
	if p.key != "" {
		return false
	}
	for e := range c.wantedEntities {
		if e.prefix == p.prefix && e.device == p.device {
			return true
		}
	}
	return false
}

// payload returns the wanted payload of a topic, which must be wanted.
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

// removal returns a device's payload in which the unwanted components have only their platform: this tells a hub to remove them. It is not
// enough to leave them out, because a hub does not remove components that a payload does not name. The other components are those of
// payload; if payload is nil, there are none.
func removal(p topicParts, payload []byte, unwanted map[string]string) []byte {
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
	for key, platform := range unwanted {
		components[key] = map[string]string{"platform": platform}
	}
	return encode(root)
}
