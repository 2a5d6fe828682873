package discovery

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// StepPause is the shortest time between two steps of a change. A pause is needed because Home Assistant processes a discovery message in the
// background. Meanwhile it ignores the components in a new message of the same device.
const StepPause = time.Second

// PlanChange returns the messages that make a hub replace the announced entities by the wanted entities. Publish the steps one after another,
// with StepPause after each step. The hub keeps the entities that are both announced and wanted. If no announcement must be removed, the only
// step is wanted. The result newAnnounced has the components that are announced when all steps are published.
//
// Before the first message, save announced.Union(newAnnounced). When the last message is published, save newAnnounced. If the program was
// interrupted between the two, call PlanChange again with the saved value. The wanted messages can then differ from those of the first call. If the
// saved value was lost, pass AnnouncedBy of the retained messages instead. In that case the wanted messages must be the same as in the first call.
//
// announced and wanted must be about the same meters. For one meter, pass announced.OfMeter(id). If wanted is empty, PlanChange removes all
// announcements.
func PlanChange(announced Announced, wanted []Message) (steps [][]Message, newAnnounced Announced) {
	newAnnounced = AnnouncedBy(wanted)
	c := changePlan{announced: announced, wanted: wanted, newAnnounced: newAnnounced, wantedEntities: entitiesOf(newAnnounced)}
	for _, topic := range slices.Sorted(maps.Keys(announced)) {
		if p, ok := parseTopic(topic); ok {
			c.removeUnwanted(p)
		}
	}
	c.steps[announceWanted] = wanted
	return slices.DeleteFunc(c.steps[:], func(s []Message) bool { return len(s) == 0 }), newAnnounced
}

// The steps of a change, in order. A hub remembers for each entity the topic that announced the entity: this topic owns the entity. Only a
// message on this topic can remove the entity.
const (
	announceAgain   = iota // announces unwanted entities that possibly no topic owns, so that their topics own them and can remove them
	removeEntities         // removes the unwanted entities
	releaseEntities        // releases entities from unwanted topics; a hub remembers the name, the id and the history of a released entity
	announceWanted         // publishes the wanted messages
	clearTopics            // removes the retained messages of unwanted topics, which own no entity any more
	stepCount
)

// A changePlan collects the messages of a change.
type changePlan struct {
	announced, newAnnounced Announced
	wanted                  []Message
	wantedEntities          map[topicParts]bool // see entitiesOf
	steps                   [stepCount][]Message
}

// add adds a message for the topic p to a step.
func (c *changePlan) add(step int, p topicParts, payload []byte) {
	c.steps[step] = append(c.steps[step], Message{p.topic(), payload})
}

// migration is the payload that tells a hub to release the entities of a topic. No topic owns a released entity until another topic announces
// it.
var migration = []byte(`{"migrate_discovery":true}`)

// removeUnwanted adds the messages that remove the unwanted entities of a topic. If the topic is unwanted, they also clear the topic.
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
	_, topicWanted := c.newAnnounced[p.topic()]
	switch {
	case topicWanted && len(unwanted) == 0: // the step announceWanted is enough
	case topicWanted:
		c.add(removeEntities, p, removal(p, c.wantedPayload(p), unwanted))
	case len(unwanted) == len(platforms) && !c.changesStyle(p):
		c.add(removeEntities, p, nil) // an empty payload removes all entities of the topic
	default: // the topic possibly owns wanted entities, and another topic will announce them
		if len(unwanted) > 0 {
			c.add(removeEntities, p, removal(p, nil, unwanted))
		}
		c.add(releaseEntities, p, migration)
		c.add(clearTopics, p, nil)
	}
}

// interrupted reports whether the entity of a topic in Component style is also announced by the topic of its device. If so, a change of style
// was interrupted, and possibly no topic owns the entity.
func (c *changePlan) interrupted(p topicParts) bool {
	deviceTopic := topicParts{prefix: p.prefix, device: p.device}
	return p.key != "" && c.announced[deviceTopic.topic()][p.key] == p.platform
}

// changesStyle reports whether p is the unwanted topic of a device, and the device is wanted in Component style. On such a topic, PlanChange must not publish an
// empty payload before it has released the entities. An empty payload removes all entities that the topic owns. After an interrupted change,
// the topic possibly owns wanted entities that its retained message does not name.
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

// wantedPayload returns the wanted payload of a wanted topic.
func (c *changePlan) wantedPayload(p topicParts) []byte {
	i := slices.IndexFunc(c.wanted, func(m Message) bool { return m.Topic == p.topic() })
	return c.wanted[i].Payload
}

// minimalAnnouncement returns a payload that announces an entity with the fewest options that a hub accepts.
func minimalAnnouncement(p topicParts) []byte {
	return encode(componentPayload{
		entity{
			Name: p.key, UniqueID: p.device + "_" + p.key, EntityID: p.platform + "." + slug(p.device+"_"+p.key),
			Topic:    program + "/gone", // required, but nothing is published there
			Category: diagnosticCategory, QoS: 1,
		},
		deviceInfo{Identifiers: []string{p.device}, Name: p.device}, originInfo{Name: program, Support: homepage},
	})
}

// removal returns payload with the unwanted components added. They have only their platform, which tells a hub to remove them. A hub does not
// remove a component that a payload does not name. If payload is nil, the result has only the unwanted components.
func removal(p topicParts, payload []byte, unwanted map[string]string) []byte {
	if payload == nil {
		payload = encode(devicePayload{
			Device: deviceInfo{Identifiers: []string{p.device}, Name: p.device}, Origin: originInfo{Name: program, Support: homepage},
			Components: map[string]entity{},
		})
	}
	var root map[string]any
	if err := json.Unmarshal(payload, &root); err != nil {
		panic("discovery: " + err.Error()) // cannot happen, because encode has made the payload
	}
	components, _ := root["components"].(map[string]any)
	for key, platform := range unwanted {
		components[key] = map[string]string{"platform": platform}
	}
	return encode(root)
}
