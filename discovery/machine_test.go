package discovery_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// changeMachine carries out random actions. The actions change the wanted messages, kill the bridge during a change, restart the hub, or lose
// the saved state. After each completed change the hub must have exactly the wanted entities. It must not have removed entities that were
// wanted all the time.
type changeMachine struct {
	*testSetup
	style  discovery.Style
	prefix string
	// unknownTopics are topics that the bridge does not know any more, because the saved state was lost. They are below another prefix.
	unknownTopics map[string]bool
	// scannedPrefix is the prefix whose retained messages were read last. After a change of the prefix, the retained messages are read again.
	scannedPrefix string
	meters        map[string]map[string]bool // the quantities that each meter sends
	completed     bool                       // the last call of change published all messages
	wantedChanged bool                       // the wanted messages have changed since the last call of change
	// mixedInterruptions is true if changes to different results were interrupted since the last completed change.
	mixedInterruptions bool
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

// change carries out the change to the wanted messages, but publishes at most as many messages as limit.
func (m *changeMachine) change(t *rapid.T, limit int) {
	wanted := m.wanted()
	wantedEntities := topicsInNewHubs(wanted)
	for id := range m.keptEntities {
		if _, ok := wantedEntities[id]; !ok {
			delete(m.keptEntities, id)
		}
	}
	m.scanRetained()
	if !m.completed && m.wantedChanged { // the interrupted change had another result
		m.mixedInterruptions = true
	}
	m.wantedChanged = false
	if m.completed = m.testSetup.change(wanted, limit); !m.completed {
		return
	}
	m.mixedInterruptions = false
	m.clearUnknown()
	m.checkSettled(t, wanted)
	m.checkNoneRecreated(t, m.keptEntities)
	m.keptEntities = entitiesWithoutTopics(m.hub, m.secondHub)
}

// clearUnknown clears the unknown topics, like a user with the command discovery clear --prefix.
func (m *changeMachine) clearUnknown() {
	for topic := range m.unknownTopics {
		if _, known := m.announced[topic]; !known {
			m.publish(discovery.Message{Topic: topic})
		}
	}
	clear(m.unknownTopics)
}

// loseState drops the saved state. Then the bridge reads only the retained messages below the current prefix.
func (m *changeMachine) loseState() {
	for topic := range discovery.AnnouncedBy(m.messages()) {
		m.unknownTopics[topic] = true
	}
	m.announced, m.scannedPrefix = nil, ""
	m.scanRetained()
}

// scanRetained reads the retained messages below the current prefix. It does nothing if the last scan had the same prefix.
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

// toggleQuantity adds a quantity to a meter, or removes the quantity if the meter has it.
func (m *changeMachine) toggleQuantity(t *rapid.T) {
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
		"quantity": m.toggleQuantity,
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
		"change": func(t *rapid.T) { m.change(t, noLimit) },
		"killed": func(t *rapid.T) { m.change(t, rapid.IntRange(0, 60).Draw(t, "messages")) }, // most changes have fewer than 60
		"hub restart": func(*rapid.T) {
			m.restartHub()
		},
		"state file lost": func(t *rapid.T) {
			if !m.completed && (m.mixedInterruptions || m.wantedChanged) {
				t.Skip("PlanChange does not support a lost state after interrupted changes to different results; rapid draws another action")
			}
			m.loseState()
			if !m.completed {
				m.change(t, noLimit)
			}
		},
	}
}

// TestChangeMachine tests changes in random sequences of actions; see changeMachine.
func TestChangeMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &changeMachine{
			testSetup: newTestSetup(), meters: map[string]map[string]bool{}, completed: true, keptEntities: map[string]hatest.Entity{},
			prefix: "homeassistant", unknownTopics: map[string]bool{},
		}
		t.Repeat(m.actions())
		m.change(t, noLimit)
	})
}
