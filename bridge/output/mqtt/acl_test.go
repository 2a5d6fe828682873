package mqtt_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/quantity"
)

var update = flag.Bool("update", false, "write deploy/mosquitto/acl.example")

// defaults is a configuration with every default value.
var defaults = mqtt.Config{BaseTopic: "hanbridge", Prefix: "homeassistant", StatusTopic: discovery.StatusTopic}

const aclHead = `# Who may do what at Mosquitto: hanbridge its own topics and announcements, Home Assistant what it needs of them, nobody else anything.
# The lines are those of the program's code (a test writes this file), for the base topic hanbridge, the prefix
# homeassistant and the status topic homeassistant/status.
#
# Make a password for each of the two users:
#   sudo mosquitto_passwd -c /etc/mosquitto/passwd hanbridge
#   sudo mosquitto_passwd /etc/mosquitto/passwd homeassistant
# Copy this file to /etc/mosquitto/acl and put these lines into a file in /etc/mosquitto/conf.d:
#   allow_anonymous false
#   password_file /etc/mosquitto/passwd
#   acl_file /etc/mosquitto/acl
# Mosquitto must be able to read both files:
#   sudo chown mosquitto: /etc/mosquitto/passwd /etc/mosquitto/acl && sudo chmod 600 /etc/mosquitto/passwd /etc/mosquitto/acl
#   sudo systemctl restart mosquitto
# Give hanbridge its user and password (mqtt.username, mqtt.password), and ask it if all is well: hanbridge check
# Mosquitto says nothing to who publishes what is forbidden: where values are missing, look here first.
#
# Other users of the broker (Node-RED, zigbee2mqtt …) need lines of their own, or none but these two get anywhere.

user hanbridge
`

// A "+" is a whole level: there is no hanbridge_+.
const aclAnnounced = `# Mosquitto knows "+" for a whole level alone, not hanbridge_+: these lines allow the announcements of any device's sensors, the
# least that needs no new line for each new meter. Who wants it stricter writes hanbridge_bridge and hanbridge_<id of the meter>
# in the place of "+" next to the platform, a line for each; a meter without its lines is announced to nobody, without a word.
`

const aclHub = `
# Home Assistant reads, announces itself, and takes announcements back when somebody deletes a device.
user homeassistant
topic read hanbridge/#
topic readwrite homeassistant/#
`

var words = map[mqtt.Access]string{mqtt.Publish: "write", mqtt.Read: "read", mqtt.Publish | mqtt.Read: "readwrite"}

// aclText returns the rules of deploy/mosquitto/acl.example.
func aclText() string {
	var text strings.Builder
	text.WriteString(aclHead)
	why := ""
	for _, r := range defaults.ACL() {
		if strings.HasSuffix(r.Filter, "/config") && !strings.HasSuffix(text.String(), "/config\n") {
			text.WriteString(aclAnnounced)
		}
		if r.Why != why {
			why = r.Why
			fmt.Fprintf(&text, "# %s\n", why)
		}
		fmt.Fprintf(&text, "topic %s %s\n", words[r.Access], r.Filter)
	}
	text.WriteString(aclHub)
	return text.String()
}

// TestACLExample tests that deploy/mosquitto/acl.example has the rules of the default configuration.
func TestACLExample(t *testing.T) {
	const file = "../../../deploy/mosquitto/acl.example"
	want := aclText()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("differs from %s (-want +got; -update writes it):\n%s", file, diff)
	}
}

// TestACL tests that the rules permit everything that a bridge does, and little else.
func TestACL(t *testing.T) {
	c := mqtt.Config{BaseTopic: "my home/meters", Prefix: "ha", StatusTopic: "hubs/first/birth"}
	must := map[string]mqtt.Access{
		"my home/meters/status": mqtt.Publish | mqtt.Read, "my home/meters/house/import_power": mqtt.Publish | mqtt.Read,
		"my home/meters/bridge/check": mqtt.Publish | mqtt.Read, "ha/hanbridge_bridge/check": mqtt.Publish | mqtt.Read, c.StatusTopic: mqtt.Read,
	}
	for _, c.Style = range []discovery.Style{discovery.Device, discovery.Component} {
		d := c.Discovery()
		for _, m := range append(d.Bridge(), d.Meter(discovery.Meter{ID: "house", Quantities: everyQuantity()})...) {
			must[m.Topic] = mqtt.Publish | mqtt.Read
		}
	}
	for topic, want := range must {
		if got := allowed(c.ACL(), topic); got&want != want {
			t.Errorf("%s: got %b, want %b at least", topic, got, want)
		}
	}
	for topic, want := range map[string]mqtt.Access{
		"hubs/first/birth": mqtt.Read, "ha/status": 0, "homeassistant/status": 0, "my home/meters/house/one/more": mqtt.Publish, "my home/other": 0, "ha/light/lamp/config": 0,
		"ha/switch/lamp/main/config": 0, "ha/device/lamp": 0, "zigbee2mqtt/lamp/set": 0, "$SYS/broker/clients/total": 0,
	} {
		if got := allowed(c.ACL(), topic); got != want {
			t.Errorf("%s: got %b, want %b", topic, got, want)
		}
	}
}

func everyQuantity() (all []discovery.Quantity) {
	for id := range quantity.Count() {
		all = append(all, discovery.Quantity{ID: quantity.ID(id)})
	}
	return all
}

// allowed returns what the rules permit under a topic.
func allowed(rules []mqtt.Rule, topic string) (a mqtt.Access) {
	for _, r := range rules {
		if matches(strings.Split(r.Filter, "/"), strings.Split(topic, "/")) {
			a |= r.Access
		}
	}
	return a
}

func matches(filter, topic []string) bool {
	for i, level := range filter {
		if level == "#" {
			return true
		}
		if i >= len(topic) || level != "+" && level != topic[i] {
			return false
		}
	}
	return len(filter) == len(topic)
}
