package config

import (
	"fmt"
	"path/filepath"

	"github.com/hanbridge/hanbridge/discovery"
)

// seenPorts are the first meters, by index, that have a device, or a kind of port that gets in the way of others.
type seenPorts struct {
	devices map[Port]int
	kinds   map[PortKind]int
}

// checkPorts compares the port of each meter with the first of those before it that it gets in the way of.
func (c Config) checkPorts(p *Problems) {
	seen := seenPorts{map[Port]int{}, map[PortKind]int{}}
	for n := range c.Meters {
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
func (c Config) checkPort(p *Problems, n int, seen seenPorts) {
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

// checkNames looks for meters of one id, and for those of which a hub would take one's entity for another's.
func (c Config) checkNames(p *Problems) {
	ids := map[string]int{}
	for n, id := range c.MeterIDs() {
		if i, ok := first(ids, id, n); ok {
			p.addBoth(meterKey(n, "id"), meterKey(i, "id"), "%q is the id of meters[%d] too: each needs its own, for its topics", id, i)
		}
	}
	for _, clash := range discovery.Clashes(c.MeterIDs()) {
		id, key := c.Meters[clash.Meter].ID, meterKey(clash.Meter, "id")
		if clash.Other < 0 {
			p.add(key, "%q gives %s, which is the bridge's own in Home Assistant: choose another", id, clash.Name)
			continue
		}
		p.addBoth(key, meterKey(clash.Other, "id"), "%q and %q, the id of meters[%d], both give %s, and a hub would mix them up: "+
			"choose another for one of them", id, c.Meters[clash.Other].ID, clash.Other, clash.Name)
	}
}

// MeterIDs returns the ids of the meters, in their order.
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
