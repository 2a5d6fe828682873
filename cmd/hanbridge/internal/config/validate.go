package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
)

// problems returns what is impossible among the values of c, by key. A broker that is missing is none (see NeedBroker).
func (c Config) problems() (p Problems) {
	c.checkOutput(&p)
	if c.MQTT.URL == Embedded {
		// Port 0 is any free one.
		p.addError("mqtt.listen", hostPort(c.MQTT.Listen, 0, "127.0.0.1:1883"))
	}
	c.checkStateDir(&p)
	for i, m := range c.Meters {
		m.check(&p, fmt.Sprintf("meters[%d].", i))
	}
	c.checkPorts(&p)
	c.checkNames(&p)
	return p
}

// checkOutput adds what the MQTT output says of its configuration.
func (c Config) checkOutput(p *Problems) {
	for _, wrong := range flat(c.Output().Validate()) {
		switch {
		case wrong.Key == "mqtt.url" && (c.MQTT.URL == "" || c.MQTT.URL == Embedded):
			continue // see NeedBroker and mqtt.listen
		case wrong.Key == "mqtt.url" && !strings.Contains(c.MQTT.URL, "://"):
			wrong.Reason += ", or embedded" + cli.DidYouMean(c.MQTT.URL, []string{Embedded})
		}
		text := wrong.Problem()
		if file, ok := errors.AsType[*fs.PathError](wrong.Err); ok {
			text = secretFiles[wrong.Key].fault(file.Path, file).Error()
			if wrong.Reason != "" {
				text = wrong.Reason + "; and " + text
			}
		}
		p.add(wrong.Key, "%s", text)
	}
}

// flat returns the errors that err joins.
func flat(err error) (all []*mqtt.ConfigError) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			all = append(all, flat(one)...)
		}
	} else if one, ok := errors.AsType[*mqtt.ConfigError](err); ok {
		all = append(all, one)
	}
	return all
}

func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// BridgeID names the bridge's own device.
const BridgeID = "bridge"

// Main fuses, in A for each phase.
const leastFuse, mostFuse = 6, 2000

var meterID = regexp.MustCompile(`^[a-z0-9_-]+$`)

func (m Meter) check(p *Problems, path string) {
	switch {
	case !meterID.MatchString(m.ID):
		p.add(path+"id", `%q cannot be part of a topic: use a to z, 0 to 9, _ and -, as in "house_1"`, m.ID)
	case m.ID == BridgeID:
		p.add(path+"id", `"bridge" is the bridge's own id: choose another`)
	}
	if m.Fuse != 0 && (m.Fuse < leastFuse || m.Fuse > mostFuse) {
		p.add(path+"fuse", "%d is not the rating of a main fuse: write the amperes of one phase, from %d to %d, or 0 where it is not known",
			m.Fuse, leastFuse, mostFuse)
	}
	if strings.TrimSpace(m.Name) == "" || !printable(m.Name) {
		p.add(path+"name", "%q is not a name: take the line out for the default", m.Name)
	}
	_, wrong := m.keyFlags().open()
	for _, one := range wrong {
		p.add(path+one.path, "%s", one.text)
	}
	// A device that is not there may be plugged in later; a file never becomes one.
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
