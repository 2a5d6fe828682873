package discovery_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/discovery/hatest"
)

// machine changes at random what is wanted, kills the bridge in the middle, starts the hub again: when a change comes to its
// end, the hub has what is wanted, and lost nothing that was wanted all the time.
type machine struct {
	*world
	style  discovery.Style
	prefix string
	// left is what the broker retains below another prefix since the state file was lost: nobody knows of it.
	left map[string]bool
	// asked is the prefix below which the broker was asked what it holds: again after each change of it.
	asked  string
	meters map[string]map[string]bool // quantities by meter
	// whole tells that the last change came to its end, other that something else has been wanted since the last one began,
	// and mixed that changes to different ends were interrupted since a whole one.
	whole, other, mixed bool
	// since are the entities of the last whole change that were wanted in every one since.
	since map[string]hatest.Entity
}

var someQuantities = []string{"import_power", "import_energy", "gas", "tariff"}

func (m *machine) wanted() []discovery.Message {
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

// change wants what is wanted now, and is killed after some messages or not.
func (m *machine) change(t *rapid.T, end int) {
	wanted := m.wanted()
	kept := born(wanted)
	for id := range m.since {
		if _, ok := kept[id]; !ok {
			delete(m.since, id)
		}
	}
	m.ask()
	m.mixed, m.other = m.mixed || !m.whole && m.other, false
	if m.whole = m.world.change(wanted, end); !m.whole {
		return
	}
	m.mixed = false
	m.forgets()
	m.settled(t, wanted)
	m.keptAll(t, m.since)
	m.since = births(m.hub, m.second)
}

// forgets has somebody take back what was left below another prefix, with discovery clear --prefix.
func (m *machine) forgets() {
	for topic := range m.left {
		if _, ours := m.held[topic]; !ours {
			m.publish(discovery.Message{Topic: topic})
		}
	}
	clear(m.left)
}

// loses loses the state file. The broker is asked what it holds below the prefix in use, and nowhere else.
func (m *machine) loses() {
	for topic := range discovery.AnnouncedBy(m.messages()) {
		m.left[topic] = true
	}
	m.held, m.asked = nil, ""
	m.ask()
}

// ask has the broker tell what it holds below the prefix in use.
func (m *machine) ask() {
	if m.asked == m.prefix {
		return
	}
	m.asked = m.prefix
	found := discovery.AnnouncedBy(m.messages()).UnderPrefix(m.prefix)
	m.keep(m.held.Union(found))
	for topic := range found {
		delete(m.left, topic)
	}
}

func (m *machine) quantity(t *rapid.T) {
	id := rapid.SampledFrom([]string{"house", "flat"}).Draw(t, "meter")
	name := rapid.SampledFrom(someQuantities).Draw(t, "quantity")
	if m.meters[id] == nil {
		m.meters[id] = map[string]bool{}
	}
	m.meters[id][name] = !m.meters[id][name]
	m.other = true
}

func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"quantity": m.quantity,
		"remove meter": func(t *rapid.T) {
			delete(m.meters, rapid.SampledFrom([]string{"house", "flat"}).Draw(t, "meter"))
			m.other = true
		},
		"style": func(t *rapid.T) {
			styles := []discovery.Style{discovery.Device, discovery.Component, discovery.Off}
			m.style = rapid.SampledFrom(styles).Draw(t, "style")
			m.other = true
		},
		"prefix": func(t *rapid.T) {
			m.prefix = rapid.SampledFrom([]string{"homeassistant", secondPrefix}).Draw(t, "prefix")
			m.other = true
		},
		"change": func(t *rapid.T) { m.change(t, 1000) },
		"killed": func(t *rapid.T) { m.change(t, rapid.IntRange(0, 60).Draw(t, "messages")) },
		"hub restart": func(*rapid.T) {
			m.restartHub()
		},
		"state file lost": func(t *rapid.T) {
			if !m.whole && (m.mixed || m.other) {
				t.Skip("the broker alone does not tell what interrupted changes to different ends began with: rapid draws another step")
			}
			m.loses()
			if !m.whole {
				m.change(t, 1000)
			}
		},
	}
}

func TestChangeMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{world: newWorld(), meters: map[string]map[string]bool{}, whole: true, since: map[string]hatest.Entity{}, prefix: "homeassistant", left: map[string]bool{}}
		t.Repeat(m.actions())
		m.change(t, 1000)
	})
}
