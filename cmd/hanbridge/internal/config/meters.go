package config

import (
	"fmt"
	"path/filepath"

	"github.com/hanbridge/hanbridge/discovery"
)

// checkPorts compares the port of each meter with the first of those before it that it gets in the way of.
func (c Config) checkPorts(p *Problems) {
	devices := make([]string, len(c.Meters))
	for n, m := range c.Meters {
		devices[n] = m.Port.device()
		for i := range n {
			if fault := portFault(m.Port, c.Meters[i].Port, i, devices[n] == devices[i]); fault != "" {
				p.addBoth(meterKey(n, "port"), meterKey(i, "port"), "%s", fault)
				break
			}
		}
	}
}

// portFault says how a port gets in the way of another, that of meter i, or returns nothing.
func portFault(port, other Port, i int, oneDevice bool) string {
	auto := port.Kind == AutoPort || other.Kind == AutoPort
	switch {
	case port.Kind == AutoPort && other.Kind == AutoPort:
		return fmt.Sprintf("auto is the port of meters[%d] too, and would find the same one: %s", i, portName)
	case auto && (port.Kind == SerialPort || other.Kind == SerialPort):
		return fmt.Sprintf("%s, and meters[%d] has %s: auto may take the other's device and publish it under the wrong id: %s", port, i, other, portName)
	case port.Kind != other.Kind || port.Kind == ReplayPort || !oneDevice:
		return ""
	case port == other:
		return fmt.Sprintf("%s is the port of meters[%d] too: it can be read once only", port, i)
	}
	return fmt.Sprintf("%s is the device of meters[%d] too, there named %s: it can be read once only", port, i, other)
}

// meterKey is the path of a key of meter i.
func meterKey(i int, name string) string { return fmt.Sprintf("meters[%d].%s", i, name) }

// device returns what the names of one device have in common.
func (p Port) device() string {
	if p.Kind == SerialPort {
		if real, err := filepath.EvalSymlinks(p.Address); err == nil {
			return real
		}
	}
	return p.Address
}

// checkNames looks for meters of one id, and for those of which a hub would take one's entity for another's.
func (c Config) checkNames(p *Problems) {
	first := map[string]int{}
	for n, id := range c.MeterIDs() {
		if i, ok := first[id]; ok {
			p.addBoth(meterKey(n, "id"), meterKey(i, "id"), "%q is the id of meters[%d] too: each needs its own, for its topics", id, i)
		} else {
			first[id] = n
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
