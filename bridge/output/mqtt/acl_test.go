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

// defaultConfig is a configuration with every default value.
var defaultConfig = mqtt.Config{BaseTopic: "hanbridge", Prefix: "homeassistant", StatusTopic: discovery.StatusTopic}

// aclHead is the beginning of the file, up to the rules of the user hanbridge.
const aclHead = `# Access rules for Mosquitto. The user hanbridge can use its own topics and announcements. The user homeassistant can read these topics, and
# can use all topics of its discovery prefix. Other users have no access. The base topic is hanbridge, the prefix is homeassistant, and the
# status topic is homeassistant/status. A Go test writes this file (bridge/output/mqtt/acl_test.go).
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
# Give hanbridge its user and password (mqtt.username, mqtt.password), and test the rules: hanbridge check
# Mosquitto does not report a forbidden message to the client that publishes it. If values are missing, look here first.
#
# Add lines for the other users of the broker (Node-RED, zigbee2mqtt …). Without such lines, only hanbridge and homeassistant have access.

user hanbridge
`

// aclAnnounced is the comment above the rules for announcements.
const aclAnnounced = `# In Mosquitto "+" matches a whole level, and hanbridge_+ is not possible. So the lines below allow the announcements of all devices. A new
# meter needs no new line. For stricter rules, replace the first "+" of each line by hanbridge_bridge, and add the same lines with
# hanbridge_<id of the meter> for each meter. Without these lines a meter is not announced, and no program reports the reason.
`

// aclHub has the rules of the user homeassistant.
const aclHub = `
# Home Assistant reads, publishes its birth message, and removes the announcements of a device that a user deletes.
user homeassistant
topic read hanbridge/#
topic readwrite homeassistant/#
`

// accessWords are the words of Mosquitto for each access.
var accessWords = map[mqtt.Access]string{mqtt.Publish: "write", mqtt.Read: "read", mqtt.Publish | mqtt.Read: "readwrite"}

// aclText returns the rules of deploy/mosquitto/acl.example.
func aclText() string {
	var text strings.Builder
	text.WriteString(aclHead)
	why := ""
	for _, r := range defaultConfig.ACL() {
		if strings.HasSuffix(r.Filter, "/config") && !strings.HasSuffix(text.String(), "/config\n") {
			text.WriteString(aclAnnounced) // only before the first of these rules
		}
		if r.Why != why {
			why = r.Why
			fmt.Fprintf(&text, "# %s\n", why)
		}
		fmt.Fprintf(&text, "topic %s %s\n", accessWords[r.Access], r.Filter)
	}
	text.WriteString(aclHub)
	return text.String()
}

// TestACLExample tests that deploy/mosquitto/acl.example has the rules of the default configuration. With -update it writes the file.
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

// TestACL tests that the rules permit everything that a bridge does. It also tests the exact access that the rules permit to several other topics,
// most of which a bridge does not use.
func TestACL(t *testing.T) {
	c := mqtt.Config{BaseTopic: "my home/meters", Prefix: "ha", StatusTopic: "hubs/first/birth"}
	required := map[string]mqtt.Access{
		"my home/meters/status": mqtt.Publish | mqtt.Read, "my home/meters/house/import_power": mqtt.Publish | mqtt.Read,
		"my home/meters/bridge/check": mqtt.Publish | mqtt.Read, "ha/hanbridge_bridge/check": mqtt.Publish | mqtt.Read, c.StatusTopic: mqtt.Read,
	}
	for _, c.Style = range []discovery.Style{discovery.Device, discovery.Component} {
		d := c.Discovery()
		for _, m := range append(d.Bridge(), d.Meter(discovery.Meter{ID: "house", Quantities: allQuantities()})...) {
			required[m.Topic] = mqtt.Publish | mqtt.Read
		}
	}
	for topic, want := range required {
		if got := allowed(c.ACL(), topic); got&want != want {
			t.Errorf("%s: got access %b, want %b at least (binary: 1 is publish, 10 is read)", topic, got, want)
		}
	}
	for topic, want := range map[string]mqtt.Access{
		"hubs/first/birth": mqtt.Read, "ha/status": 0, "homeassistant/status": 0, "my home/meters/house/one/more": mqtt.Publish, "my home/other": 0, "ha/light/lamp/config": 0,
		"ha/switch/lamp/main/config": 0, "ha/device/lamp": 0, "zigbee2mqtt/lamp/set": 0, "$SYS/broker/clients/total": 0,
	} {
		if got := allowed(c.ACL(), topic); got != want {
			t.Errorf("%s: got access %b, want %b (binary: 1 is publish, 10 is read)", topic, got, want)
		}
	}
}

// allQuantities returns every quantity that a meter can have.
func allQuantities() (all []discovery.Quantity) {
	for id := range quantity.Count() {
		all = append(all, discovery.Quantity{ID: quantity.ID(id)})
	}
	return all
}

// allowed returns the access that the rules permit to a topic.
func allowed(rules []mqtt.Rule, topic string) (a mqtt.Access) {
	for _, r := range rules {
		if matches(strings.Split(r.Filter, "/"), strings.Split(topic, "/")) {
			a |= r.Access
		}
	}
	return a
}

// matches reports whether a topic matches an MQTT filter, both split into levels.
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
