package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/discovery"
)

// problems returns the problems of the values of c. A missing broker is not among them: see RequireBroker.
func (c Config) problems() (p Problems) {
	c.checkOutput(&p, c.Output().Validate())
	if c.MQTT.URL == Embedded {
		p.addError("mqtt.listen", hostPort(c.MQTT.Listen, 0, "127.0.0.1:1883")) // port 0 means any free port
	}
	c.checkStateDir(&p)
	for i, m := range c.Meters {
		m.check(&p, meterKey(i, ""))
	}
	c.checkPorts(&p)
	c.checkIDs(&p)
	return p
}

// checkOutput adds the errors of the MQTT output's configuration. err is one of these errors, or several that are joined.
func (c Config) checkOutput(p *Problems, err error) {
	if multiple, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range multiple.Unwrap() {
			c.checkOutput(p, part)
		}
		return
	}
	configErr, ok := errors.AsType[*mqtt.ConfigError](err)
	noAddress := c.MQTT.URL == "" || c.MQTT.URL == Embedded
	if !ok || configErr.Key == "mqtt.url" && noAddress {
		return // RequireBroker reports a missing URL, and the method problems checks mqtt.listen
	}
	text := configErr.Problem()
	// A URL without "://" is possibly a misspelt "embedded".
	if configErr.Key == "mqtt.url" && !strings.Contains(c.MQTT.URL, "://") {
		text += ", or embedded" + cli.DidYouMean(c.MQTT.URL, []string{Embedded})
	}
	if pathErr, ok := errors.AsType[*fs.PathError](configErr.Err); ok {
		text = secretFiles[configErr.Key].fault(pathErr.Path, pathErr).Error()
		if configErr.Reason != "" {
			text = configErr.Reason + "; and " + text
		}
	}
	p.add(configErr.Key, "%s", text)
}

// BridgeID is the id of the device that represents the bridge in a hub. It must not be the id of a meter.
const BridgeID = "bridge"

// The limits of the rating of a main fuse, in A per phase.
const minFuse, maxFuse = 6, 2000

var meterID = regexp.MustCompile(`^[a-z0-9_-]+$`)

// check adds the problems of one meter. path is the path of the meter with a dot at its end.
func (m Meter) check(p *Problems, path string) {
	switch {
	case !meterID.MatchString(m.ID):
		p.add(path+"id", `%q cannot be part of a topic: use a to z, 0 to 9, _ and -, as in "house_1"`, m.ID)
	case m.ID == BridgeID:
		p.add(path+"id", `"bridge" is the id of the bridge itself: choose another id`)
	}
	if m.Fuse != 0 && (m.Fuse < minFuse || m.Fuse > maxFuse) {
		p.add(path+"fuse", "%d is not the rating of a main fuse: write the amperes of one phase, from %d to %d, or 0 where it is not known",
			m.Fuse, minFuse, maxFuse)
	}
	if strings.TrimSpace(m.Name) == "" || !utf8.ValidString(m.Name) || strings.ContainsFunc(m.Name, unicode.IsControl) {
		p.add(path+"name", "%q is not a name: remove this line for the default", m.Name)
	}
	_, problems := m.keyFlags().load()
	for _, keyProblem := range problems {
		p.add(path+keyProblem.path, "%s", keyProblem.text)
	}
	// A missing device is no problem, because it can be plugged in later. A directory or a regular file is a problem.
	info, err := os.Stat(m.Port.Address)
	switch {
	case m.Port.Kind == ReplayPort:
		p.addError(path+"port", err)
	case m.Port.Kind != SerialPort || err != nil:
	case info.IsDir():
		p.add(path+"port", "%s is a directory: %s", m.Port.Address, PortHelp)
	case info.Mode().IsRegular():
		p.add(path+"port", "%s is a file, not a device: to play it back write \"replay:%s\"", m.Port.Address, m.Port.Address)
	}
}

// checkPorts adds the conflicts between the ports of meters. Each meter has at most one conflict, with the first meter in the list whose port
// conflicts with its own.
func (c Config) checkPorts(p *Problems) {
	// first has the index of the first meter with a device. A Port without an address stands for all ports of its kind.
	first := map[Port]int{}
	for n, m := range c.Meters {
		device, kind := m.Port.device(), Port{Kind: m.Port.Kind}
		var rivals []Port // the ports that conflict with m.Port
		switch m.Port.Kind {
		case AutoPort:
			rivals = []Port{kind, {Kind: SerialPort}}
		case SerialPort:
			rivals = []Port{device, {Kind: AutoPort}}
		case TCPPort:
			rivals = []Port{device}
		case ReplayPort: // several meters can read the same file
		}
		other := n
		for _, rival := range rivals {
			if i, ok := first[rival]; ok {
				other = min(other, i)
			}
		}
		if other < n {
			p.addConflict(meterKey(n, "port"), meterKey(other, "port"), "%s", portConflict(m.Port, c.Meters[other].Port, other))
		}
		for _, port := range []Port{device, kind} {
			if _, ok := first[port]; !ok {
				first[port] = n
			}
		}
	}
}

// portConflict returns why a meter cannot have a port beside other, which is the port of meter i.
func portConflict(port, other Port, i int) string {
	switch {
	case port.Kind == AutoPort && other.Kind == AutoPort:
		return fmt.Sprintf("auto is the port of meters[%d] too, and would find the same port: %s", i, portAdvice)
	case port.Kind != other.Kind: // one of them is auto
		return fmt.Sprintf("%s, and meters[%d] has %s: auto can find the device of the other meter, and publish its values under the wrong id: %s", port, i, other, portAdvice)
	case port == other:
		return fmt.Sprintf("%s is the port of meters[%d] too: two meters cannot have the same port", port, i)
	}
	return fmt.Sprintf("%s is the same device as %s, the port of meters[%d]: two meters cannot have the same port", port, other, i)
}

// meterKey returns the path of a key of meter i.
func meterKey(i int, name string) string { return fmt.Sprintf("meters[%d].%s", i, name) }

// device returns a serial port with the path of its device, without symbolic links. It returns other ports as they are.
func (p Port) device() Port {
	if p.Kind == SerialPort {
		if real, err := filepath.EvalSymlinks(p.Address); err == nil {
			p.Address = real
		}
	}
	return p
}

// checkIDs adds a problem for each meter id that an earlier meter has too. It also adds a problem for each meter id that gives the same unique
// id or entity id in Home Assistant as an earlier meter or the bridge.
func (c Config) checkIDs(p *Problems) {
	firstIndex := map[string]int{} // the index of the first meter with an id
	for n, id := range c.MeterIDs() {
		if i, ok := firstIndex[id]; ok {
			p.addConflict(meterKey(n, "id"), meterKey(i, "id"), "%q is the id of meters[%d] too: choose another id for one of the two meters", id, i)
		} else {
			firstIndex[id] = n
		}
	}
	for _, conflict := range discovery.IDConflicts(c.MeterIDs()) {
		id, key := c.Meters[conflict.Meter].ID, meterKey(conflict.Meter, "id")
		if conflict.Other < 0 { // the conflict is with the device of the bridge
			p.add(key, "%q gives %s, which is an entity of the bridge in Home Assistant: choose another id", id, conflict.Name)
			continue
		}
		p.addConflict(key, meterKey(conflict.Other, "id"), "%q and %q, the id of meters[%d], both give %s, so a hub would mix up the two meters: "+
			"choose another id for one of them", id, c.Meters[conflict.Other].ID, conflict.Other, conflict.Name)
	}
}

// MeterIDs returns the ids of the meters, in their order.
func (c Config) MeterIDs() (ids []string) {
	for _, m := range c.Meters {
		ids = append(ids, m.ID)
	}
	return ids
}

// SelectMeter returns the index of the meter that a command is for. port is the port that the user has typed, or the zero Port if the user has
// typed none. If no meter has this port, the only meter is selected, and SelectMeter changes its port in c.Meters, which the caller shares.
// Errors contain the name of the command and the configuration file.
func (c Config) SelectMeter(command string, port Port, file string) (int, error) {
	if i := slices.IndexFunc(c.Meters, func(m Meter) bool { return m.Port == port }); i >= 0 {
		return i, nil
	}
	noPort := port == Port{}
	switch {
	case noPort && len(c.Meters) > 1:
		return 0, fmt.Errorf("%s: the configuration has %d meters: name the port of one of them, for example hanbridge %[1]s %[3]s", command, len(c.Meters), c.Meters[0].Port)
	case len(c.Meters) > 1:
		return 0, fmt.Errorf("%s: %s is not the port of a meter in %s: name the port of a meter in that file, or use no configuration file", command, port, file)
	case !noPort:
		c.Meters[0].Port = port
	}
	return 0, nil
}
