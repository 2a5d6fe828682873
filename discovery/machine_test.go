package discovery_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// changeMachine carries out a random sequence of actions: other messages are wanted, the bridge is killed during a change, the hub
// restarts, the saved state is lost. After each completed change the hub must have exactly the wanted entities, and must not have removed
// entities that were wanted all the time.
type changeMachine struct {
	*testSetup
	style  discovery.Style
	prefix string
	// unknownTopics are retained below another prefix. The bridge does not know them any more, because the saved state was lost.
	unknownTopics map[string]bool
	// scannedPrefix is the prefix whose retained messages were read last. They are read again after each change of the prefix.
	scannedPrefix string
	meters        map[string]map[string]bool // quantities by meter
	// completed is true if the last change was completed. wantedChanged is true if other messages are wanted since the last change began.
	// mixedInterruptions is true if, since the last completed change, changes to different results were interrupted.
	completed, wantedChanged, mixedInterruptions bool
	// keptEntities are the entities of the last completed change that every later change wanted too.
	keptEntities map[string]hatest.Entity
}

var someQuantities = []string{"import_power", "import_energy", "gas", "tariff"}

func (m *changeMachine) wanted() []discovery.Message {
	c := config(m.style)
	c.Prefix = m.prefix
	all := c.Bridge()
	for _, id := range []string{"house", "flat"} {
		if m.meters[id] == nil {
			continue
		}
		meter := discovery.Meter{ID: id}
		for _, name := range someQuantities {
			if m.meters[id][name] {
				meter.Quantities = append(meter.Quantities, named(name)...)
			}
		}
		all = append(all, c.Meter(meter)...)
	}
	return all
}

// change carries out the change to the wanted messages, and stops before message number end.
func (m *changeMachine) change(t *rapid.T, end int) {
	wanted := m.wanted()
	wantedEntities := entitiesOfNewHubs(wanted)
	for id := range m.keptEntities {
		if _, ok := wantedEntities[id]; !ok {
			delete(m.keptEntities, id)
		}
	}
	m.scanRetained()
	m.mixedInterruptions, m.wantedChanged = m.mixedInterruptions || !m.completed && m.wantedChanged, false
	if m.completed = m.testSetup.change(wanted, end); !m.completed {
		return
	}
	m.mixedInterruptions = false
	m.clearUnknown()
	m.checkSettled(t, wanted)
	m.checkNoneRecreated(t, m.keptEntities)
	m.keptEntities = entitiesWithoutTopics(m.hub, m.second)
}

// clearUnknown does what a user does with discovery clear --prefix: it clears the unknown topics.
func (m *changeMachine) clearUnknown() {
	for topic := range m.unknownTopics {
		if _, known := m.announced[topic]; !known {
			m.publish(discovery.Message{Topic: topic})
		}
	}
	clear(m.unknownTopics)
}

// loseState drops the saved state. Only the retained messages of the prefix in use are read again.
func (m *changeMachine) loseState() {
	for topic := range discovery.AnnouncedBy(m.messages()) {
		m.unknownTopics[topic] = true
	}
	m.announced, m.scannedPrefix = nil, ""
	m.scanRetained()
}

// scanRetained reads the retained messages of the prefix in use.
func (m *changeMachine) scanRetained() {
	if m.scannedPrefix == m.prefix {
		return
	}
	m.scannedPrefix = m.prefix
	found := discovery.AnnouncedBy(m.messages()).UnderPrefix(m.prefix)
	m.save(m.announced.Union(found))
	for topic := range found {
		delete(m.unknownTopics, topic)
	}
}

// quantity makes a meter send one more quantity, or one less.
func (m *changeMachine) quantity(t *rapid.T) {
	id := rapid.SampledFrom([]string{"house", "flat"}).Draw(t, "meter")
	name := rapid.SampledFrom(someQuantities).Draw(t, "quantity")
	if m.meters[id] == nil {
		m.meters[id] = map[string]bool{}
	}
	m.meters[id][name] = !m.meters[id][name]
	m.wantedChanged = true
}

func (m *changeMachine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"quantity": m.quantity,
		"remove meter": func(t *rapid.T) {
			delete(m.meters, rapid.SampledFrom([]string{"house", "flat"}).Draw(t, "meter"))
			m.wantedChanged = true
		},
		"style": func(t *rapid.T) {
			styles := []discovery.Style{discovery.Device, discovery.Component, discovery.Off}
			m.style = rapid.SampledFrom(styles).Draw(t, "style")
			m.wantedChanged = true
		},
		"prefix": func(t *rapid.T) {
			m.prefix = rapid.SampledFrom([]string{"homeassistant", secondPrefix}).Draw(t, "prefix")
			m.wantedChanged = true
		},
		"change": func(t *rapid.T) { m.change(t, toEnd) },
		"killed": func(t *rapid.T) { m.change(t, rapid.IntRange(0, 60).Draw(t, "messages")) },
		"hub restart": func(*rapid.T) {
			m.restartHub()
		},
		"state file lost": func(t *rapid.T) {
			if !m.completed && (m.mixedInterruptions || m.wantedChanged) {
				t.Skip("the retained messages do not show from which state the interrupted changes to different results began: rapid draws another action")
			}
			m.loseState()
			if !m.completed {
				m.change(t, toEnd)
			}
		},
	}
}

// TestChangeMachine tests random sequences of actions.
func TestChangeMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &changeMachine{
			testSetup: newTestSetup(), meters: map[string]map[string]bool{}, completed: true, keptEntities: map[string]hatest.Entity{},
			prefix: "homeassistant", unknownTopics: map[string]bool{},
		}
		t.Repeat(m.actions())
		m.change(t, toEnd)
	})
}
