package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// checkUnlike compares meter n with those before it.
func (c Config) checkUnlike(p *problems, n int) {
	for i := range n {
		c.checkPair(p, n, i)
	}
}

// checkPair compares meter n with meter i.
func (c Config) checkPair(p *problems, n, i int) {
	m, other := c.Meters[n], c.Meters[i]
	if m.ID == other.ID {
		p.addBoth(meterKey(n, "id"), meterKey(i, "id"), "%q is the id of meters[%d] too: each needs its own, for its topics", m.ID, i)
	}
	port, others := meterKey(n, "port"), meterKey(i, "port")
	one, two := m.Port.Kind, other.Port.Kind
	switch {
	case one == AutoPort && two == AutoPort:
		p.addBoth(port, others, "auto is the port of meters[%d] too, and would find the same one: %s", i, portName)
	case one == AutoPort && two == SerialPort, one == SerialPort && two == AutoPort:
		p.addBoth(port, others, "%s, and meters[%d] has %s: auto may take the other's device and publish it under the wrong id: %s",
			m.Port, i, other.Port, portName)
	case one == ReplayPort || one != two:
	case m.Port == other.Port:
		p.addBoth(port, others, "%s is the port of meters[%d] too: it can be read once only", m.Port, i)
	case m.Port.device() == other.Port.device():
		p.addBoth(port, others, "%s is the device of meters[%d] too, there named %s: it can be read once only", m.Port, i, other.Port)
	}
}

// meterKey is the path of a key of meter i.
func meterKey(i int, name string) string { return fmt.Sprintf("meters[%d].%s", i, name) }

// device returns what the names of one device have in common.
func (p PortConfig) device() string {
	if p.Kind != SerialPort {
		return p.Address
	}
	if real, err := filepath.EvalSymlinks(p.Address); err == nil {
		return real
	}
	return p.Address
}

// checkNames looks for meters of which a hub would take one's quantity for the other's: "house" with long_power_failures and
// "house_long" with power_failures are both hanbridge_house_long_power_failures.
func (c Config) checkNames(p *problems) {
	if len(c.Meters) == 1 && !strings.Contains(c.Meters[0].ID, "hanbridge") {
		return // it could clash with the bridge alone: small machines are spared the work
	}
	const ofBridge = -1
	taken := map[string]int{}
	for _, name := range entityNames(discovery.Config.Bridge) {
		taken[name] = ofBridge
	}
	for i, m := range c.Meters {
		if !meterID.MatchString(m.ID) || m.ID == bridgeID {
			continue // told already
		}
		names := entityNames(func(c discovery.Config) []discovery.Message { return c.Meter(everything(m.ID)) })
		clash := slices.IndexFunc(names, func(name string) bool {
			other, ok := taken[name]
			return ok && (other == ofBridge || c.Meters[other].ID != m.ID)
		})
		if clash < 0 {
			for _, name := range names {
				taken[name] = i
			}
			continue
		}
		name, other := names[clash], taken[names[clash]]
		if other == ofBridge {
			p.add(meterKey(i, "id"), "%q gives %s, which is the bridge's own in Home Assistant: choose another", m.ID, name)
			continue
		}
		p.addBoth(meterKey(i, "id"), meterKey(other, "id"), "%q and %q, the id of meters[%d], both give %s, and a hub would mix them up: "+
			"choose another for one of them", m.ID, c.Meters[other].ID, other, name)
	}
}

// everything is a meter that sends all there is.
func everything(id string) discovery.Meter {
	m := discovery.Meter{ID: id}
	for q := range quantity.Count() {
		m.Quantities = append(m.Quantities, discovery.Quantity{ID: quantity.ID(q)})
	}
	return m
}

// entityNames returns the unique ids and the entity ids among what is announced.
func entityNames(announced func(discovery.Config) []discovery.Message) (names []string) {
	for _, m := range announced(discovery.Config{Style: discovery.Component}) {
		var entity struct {
			UniqueID string `json:"unique_id"`
			EntityID string `json:"default_entity_id"`
		}
		if err := json.Unmarshal(m.Payload, &entity); err == nil { // its own payloads
			names = append(names, entity.UniqueID, entity.EntityID)
		}
	}
	return names
}
