// Package discovery makes the MQTT discovery messages that announce a meter to Home Assistant and to other hubs with the same format:
// Domoticz, openHAB, Gladys. All messages must be published as retained.
//
// Config.Meter returns the messages of a meter, from its description and the quantities that it sends. Config.Bridge returns those of the
// bridge. PlanChange returns the steps that replace announced messages by others without losing an entity. ParseMeters and Differences read
// what a broker retains. All are functions without side effects: they neither connect to a broker nor keep state.
package discovery

import (
	"fmt"
	"slices"
)

// A Config has the settings that all messages share. The zero Style is Device. Prefix and BaseTopic must be set.
type Config struct {
	// Prefix is the discovery prefix of the hub: "homeassistant" unless its owner changed it.
	Prefix string
	// BaseTopic is the topic below which the bridge publishes, such as "hanbridge".
	BaseTopic string
	// Style is how entities are announced.
	Style Style
	// Version is the version of the bridge. "" leaves it out.
	Version string
}

// A Message is one MQTT message to publish as retained. An empty payload removes the announcement of the topic.
type Message struct {
	Topic   string
	Payload []byte
}

// StatusTopic is the topic to which Home Assistant publishes "online" when it starts. All messages must be published again then. The topic
// does not depend on the discovery prefix. The hub's owner can change it.
const StatusTopic = "homeassistant/status"

// A Style is a way of announcing entities. A hub must never receive an entity in both styles, because it keeps only the one that it
// received first.
type Style uint8

const (
	// Device announces a meter in one message, for Home Assistant since 2024.12, Gladys, and the newest openHAB.
	Device Style = iota
	// Component announces each entity in a message of its own, for Domoticz and older hubs.
	Component
	// Off announces nothing.
	Off
)

var styleTexts = []string{Device: "device", Component: "component", Off: "off"}

// String returns the style as it is written in the configuration.
func (s Style) String() string {
	if int(s) < len(styleTexts) {
		return styleTexts[s]
	}
	return fmt.Sprintf("style %d", uint8(s))
}

// UnmarshalText reads "device", "component" or "off". Anything else is an error that lists these.
func (s *Style) UnmarshalText(text []byte) error {
	i := slices.Index(styleTexts, string(text))
	if i < 0 {
		return fmt.Errorf("discovery %q: want device, component or off", text)
	}
	*s = Style(i)
	return nil
}
