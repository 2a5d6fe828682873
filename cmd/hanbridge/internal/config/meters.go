package config

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

// seenMeters are the first meters, by index, that have an id, a device, or a kind of port that gets in the way of others.
type seenMeters struct {
	ids     map[string]int
	devices map[Port]int
	kinds   map[PortKind]int
}

// checkUnlike compares each meter with the first of those before it that it gets in the way of.
func (c Config) checkUnlike(p *Problems) {
	seen := seenMeters{map[string]int{}, map[Port]int{}, map[PortKind]int{}}
	for n, m := range c.Meters {
		if i, ok := first(seen.ids, m.ID, n); ok {
			p.addBoth(meterKey(n, "id"), meterKey(i, "id"), "%q is the id of meters[%d] too: each needs its own, for its topics", m.ID, i)
		}
		c.checkPort(p, n, seen)
	}
}

// first returns what key stands for among those seen, or notes that it is n.
func first[K comparable](seen map[K]int, key K, n int) (i int, ok bool) {
	if i, ok = seen[key]; !ok {
		seen[key] = n
	}
	return i, ok
}

// checkPort compares the port of meter n with those before it.
func (c Config) checkPort(p *Problems, n int, seen seenMeters) {
	port := c.Meters[n].Port
	key := meterKey(n, "port")
	i, again := first(seen.kinds, port.Kind, n)
	switch port.Kind {
	case ReplayPort:
		return
	case AutoPort:
		if again {
			p.addBoth(key, meterKey(i, "port"), "auto is the port of meters[%d] too, and would find the same one: %s", i, portName)
		}
		if i, ok := seen.kinds[SerialPort]; ok {
			c.mayTake(p, n, i)
		}
		return
	case SerialPort:
		if i, ok := seen.kinds[AutoPort]; ok {
			c.mayTake(p, n, i)
		}
	case TCPPort:
	}
	i, again = first(seen.devices, Port{port.Kind, port.device()}, n)
	switch {
	case again && port == c.Meters[i].Port:
		p.addBoth(key, meterKey(i, "port"), "%s is the port of meters[%d] too: it can be read once only", port, i)
	case again:
		p.addBoth(key, meterKey(i, "port"), "%s is the device of meters[%d] too, there named %s: it can be read once only",
			port, i, c.Meters[i].Port)
	}
}

// mayTake adds that one of two meters looks for a port, and may find that of the other.
func (c Config) mayTake(p *Problems, n, i int) {
	p.addBoth(meterKey(n, "port"), meterKey(i, "port"), "%s, and meters[%d] has %s: auto may take the other's device and publish it under the wrong id: %s",
		c.Meters[n].Port, i, c.Meters[i].Port, portName)
}

// meterKey is the path of a key of meter i.
func meterKey(i int, name string) string { return fmt.Sprintf("meters[%d].%s", i, name) }

// device returns what the names of one device have in common.
func (p Port) device() string {
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
func (c Config) checkNames(p *Problems) {
	if len(c.Meters) == 1 && !strings.Contains(c.Meters[0].ID, "hanbridge") {
		return // it could clash with the bridge alone: small machines are spared the work
	}
	const ofBridge = -1
	taken := map[string]int{}
	for _, name := range entityNames(discovery.Config.Bridge) {
		taken[name] = ofBridge
	}
	related := c.related()
	for i, m := range c.Meters {
		if !related[i] || !meterID.MatchString(m.ID) || m.ID == BridgeID { // the latter are told already
			continue
		}
		names := meterNames(m.ID)
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

// related tells of each meter whether its names could be another's: where its id is the beginning of another id, or begins with
// one, or has the bridge's name in it. All else is spared the work, which is much.
func (c Config) related() []bool {
	out := make([]bool, len(c.Meters))
	ids := map[string]int{} // as in the ids of entities, which know no other separator
	for i, m := range c.Meters {
		id := entityID(m.ID)
		out[i] = strings.Contains(m.ID, "hanbridge")
		if other, ok := first(ids, id, i); ok && c.Meters[other].ID != m.ID {
			out[i], out[other] = true, true
		}
	}
	for i, m := range c.Meters {
		id := entityID(m.ID)
		for end, r := range id {
			if other, ok := ids[id[:end]]; r == '_' && ok {
				out[i], out[other] = true, true
			}
		}
	}
	return out
}

func entityID(id string) string {
	return strings.Join(strings.FieldsFunc(id, func(r rune) bool { return r == '_' || r == '-' }), "_")
}

// meterNames returns the names of a meter that sends all there is. To make them is much work, which is done once for the meters
// whose id stands in the ids of entities as it is.
func meterNames(id string) []string {
	if entityID(id) != id {
		return namesOf(id)
	}
	names := slices.Clone(sampleNames())
	for i, name := range names {
		names[i] = strings.Replace(name, sampleID, id, 1)
	}
	return names
}

const sampleID = "x0x"

var sampleNames = sync.OnceValue(func() []string { return namesOf(sampleID) })

func namesOf(id string) []string {
	return entityNames(func(c discovery.Config) []discovery.Message { return c.Meter(everything(id)) })
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

func (c Config) MeterIDs() (ids []string) {
	for _, m := range c.Meters {
		ids = append(ids, m.ID)
	}
	return ids
}

// MeterOn returns which meter of the configuration, read from file, is on a port; where none is, the only one, as it may have
// moved to this port.
func (c Config) MeterOn(port Port, file string) (int, error) {
	for i, m := range c.Meters {
		if m.Port == port {
			return i, nil
		}
	}
	if len(c.Meters) > 1 {
		return 0, fmt.Errorf("%s is not the port of a meter in %s: name one that is, or go without that file", port, file)
	}
	return 0, nil
}
