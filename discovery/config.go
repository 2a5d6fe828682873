// Package discovery makes the MQTT discovery messages that announce a meter to Home Assistant. Domoticz, openHAB and Gladys read the same
// messages. All messages must be published as retained.
//
// Config.Meter returns the messages of a meter. Config.Bridge returns the messages of the bridge. PlanChange returns the steps that replace
// announced messages by other messages without losing an entity. ParseMeters and Differences read what a broker retains. The functions of
// this package have no side effects and do not connect to a broker.
package discovery

import (
	"fmt"
	"slices"
)

// A Config has the settings that all messages share. Prefix and BaseTopic must be set.
type Config struct {
	// Prefix is the discovery prefix of the hub, "homeassistant" by default.
	Prefix string
	// BaseTopic is the topic below which the bridge publishes, such as "hanbridge".
	BaseTopic string
	// Style says how entities are announced. The zero value is Device.
	Style Style
	// Version is the version of the bridge. If it is "", the messages have no version.
	Version string
}

// A Message is one MQTT message to publish as retained. An empty payload removes the announcement of the topic.
type Message struct {
	Topic   string
	Payload []byte
}

// StatusTopic is the topic to which Home Assistant publishes "online" when it starts. After that, all messages must be published again. The
// topic does not depend on the discovery prefix. Users can configure another topic in Home Assistant.
const StatusTopic = "homeassistant/status"

// A Style is a way of announcing entities. A hub must never receive an entity in both styles, because it ignores the second announcement of an
// entity.
type Style uint8

const (
	// Device announces a meter with all its entities in one message, for Home Assistant since 2024.12, Gladys, and the newest openHAB.
	Device Style = iota
	// Component announces each entity in its own message, for Domoticz and older hubs.
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

// UnmarshalText reads "device", "component" or "off". For another text it returns an error that lists these words.
func (s *Style) UnmarshalText(text []byte) error {
	i := slices.Index(styleTexts, string(text))
	if i < 0 {
		return fmt.Errorf("discovery %q: want device, component or off", text)
	}
	*s = Style(i)
	return nil
}
