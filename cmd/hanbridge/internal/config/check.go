package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Validate returns what is impossible among the values of c: every problem, by
// its key. A broker that is missing is none (see NeedBroker).
func (c Config) Validate() error {
	var p Problems
	c.MQTT.check(&p)
	c.HomeAssistant.check(&p)
	c.checkStateDir(&p)
	if Inside(c.MQTT.BaseTopic, c.HomeAssistant.Prefix) && c.HomeAssistant.Prefix != "homeassistant" {
		p.add("mqtt.base_topic", "%q lies inside homeassistant.prefix: choose another, such as hanbridge", c.MQTT.BaseTopic)
	}
	if Inside(c.HomeAssistant.StatusTopic, c.MQTT.BaseTopic) { // the bridge would take its own "online" for the hub's
		p.add("homeassistant.status_topic", "%q lies inside mqtt.base_topic, where this bridge publishes: write the topic of the birth message "+
			"that is set in Home Assistant, which is homeassistant/status unless somebody changed it", c.HomeAssistant.StatusTopic)
	}
	for i, m := range c.Meters {
		m.check(&p, fmt.Sprintf("meters[%d].", i))
	}
	c.checkUnlike(&p)
	c.checkNames(&p)
	return p.Err()
}

// NeedBroker returns an error that says what to do if no broker is set.
func (c Config) NeedBroker() error {
	if c.MQTT.URL != "" {
		return nil
	}
	return errors.New("mqtt.url: no broker is set: write it in the configuration file, or set HANBRIDGE_MQTT_URL=mqtt://localhost " +
		`(who has no broker yet writes "embedded", and hanbridge is one)`)
}

// takenTopics are the trees that Home Assistant's own integrations listen to: what is
// published there makes it offer devices that do not exist.
var takenTopics = []string{"homeassistant", "dsmr", "tasmota", "fully", "drop_connect"}

func (m MQTT) check(p *Problems) {
	if err := checkURL(m.URL); err != nil {
		p.add("mqtt.url", "%s", err)
	}
	if m.URL == Embedded {
		// Port 0 is any free one.
		if err := hostPort(m.Listen, 0, "127.0.0.1:1883"); err != nil {
			p.add("mqtt.listen", "%s", err)
		}
	}
	if m.Password != "" && m.Username == "" {
		p.add("mqtt.password", "a password without mqtt.username: MQTT sends both or none")
	}
	m.checkFiles(p)
	CheckTopic(p, "mqtt.base_topic", m.BaseTopic)
	for _, taken := range takenTopics {
		if Inside(m.BaseTopic, taken) {
			p.add("mqtt.base_topic", "%q is a topic that Home Assistant takes for something else (it listens to %s for another of its integrations, "+
				"which would offer devices that do not exist): choose another, such as hanbridge", m.BaseTopic, taken)
		}
	}
}

func (m MQTT) checkFiles(p *Problems) {
	if (m.CertFile == "") != (m.KeyFile == "") {
		set, missing := "cert_file", "key_file"
		if m.CertFile == "" {
			set, missing = missing, set
		}
		p.add("mqtt."+set, "set without mqtt.%s: a client's certificate needs both", missing)
	}
	files := []struct{ key, name string }{{"ca_file", m.CAFile}, {"cert_file", m.CertFile}, {"key_file", m.KeyFile}}
	for _, f := range files {
		if f.name == "" {
			continue
		}
		if _, err := readText(f.name); err != nil {
			p.add("mqtt."+f.key, "%s", tlsFile(f.key).fault(f.name, err))
		}
		// Without TLS the file would do nothing, and the wire be open.
		if m.plain() {
			p.add("mqtt."+f.key, "certificates need TLS: write mqtt.url with mqtts:// or wss://")
		}
	}
	if m.InsecureSkipVerify && m.plain() {
		p.add("mqtt.insecure_skip_verify", "there is no certificate to pass over without TLS: write mqtt.url with mqtts:// or wss://, or take the line out")
	}
}

// plain tells if a broker is set and the way to it not encrypted.
func (m MQTT) plain() bool {
	return m.URL != "" && !strings.HasPrefix(m.URL, "mqtts:") && !strings.HasPrefix(m.URL, "wss:")
}

// tlsFile returns what is known of a file that mqtt.key names.
func tlsFile(key string) secretFile {
	if s, ok := secretFiles["mqtt."+key]; ok {
		return s
	}
	return secretFiles[key]
}

func (h HomeAssistant) check(p *Problems) {
	CheckTopic(p, "homeassistant.prefix", h.Prefix)
	CheckTopic(p, "homeassistant.status_topic", h.StatusTopic)
}

func Inside(topic, parent string) bool {
	return topic == parent || strings.HasPrefix(topic, parent+"/")
}

func CheckTopic(p *Problems, path, topic string) {
	switch {
	case topic == "":
		p.add(path, "must not be empty: take the line out for the default")
	case strings.ContainsAny(topic, "+#"):
		p.add(path, "%q has a wildcard: + and # cannot be in a topic that is published", topic)
	case strings.Contains("/"+topic+"/", "//"):
		p.add(path, "%q has a / too many: write it as in energy/hanbridge", topic)
	case strings.HasPrefix(topic, "$"):
		p.add(path, "%q: topics that begin with $ are the broker's own", topic)
	case !printable(topic):
		p.add(path, "%q has a character that cannot be in a topic", topic)
	}
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
	m.checkKeys(p, path)
	if m.Port.Kind == ReplayPort {
		if _, err := os.Stat(m.Port.Address); err != nil {
			p.add(path+"port", "%s", err)
		}
	}
	if m.Port.Kind != SerialPort {
		return
	}
	// A device that is not there may be plugged in later; a file never becomes one.
	info, err := os.Stat(m.Port.Address)
	if err == nil && info.IsDir() {
		p.add(path+"port", "%s is a directory: %s", m.Port.Address, PortHelp)
	}
	if err == nil && info.Mode().IsRegular() {
		p.add(path+"port", "%s is a file, not a device: to play it back write \"replay:%s\"", m.Port.Address, m.Port.Address)
	}
}
