// Package discovery says what Home Assistant, and the hubs that speak its MQTT discovery, are told about a meter. It is
// pure functions: a meter and its quantities in, messages out. All messages are to be published retained.
package discovery

import (
	"fmt"
	"slices"
)

// A Config is what the messages need to know about the bridge. The zero Style is Device; the other fields have no
// useful zero value.
type Config struct {
	// Prefix is the hub's discovery prefix, "homeassistant" unless its owner changed it.
	Prefix string
	// BaseTopic is the bridge's own: "hanbridge".
	BaseTopic string
	// Style is how entities are announced.
	Style Style
	// Version is the bridge's. "" leaves it out.
	Version string
}

// A Message is one publication, always retained. An empty payload takes back what the topic announced.
type Message struct {
	Topic   string
	Payload []byte
}

// StatusTopic is where Home Assistant says "online" when it starts, whatever its discovery prefix, unless its owner changed that
// topic too: the time to publish everything again.
const StatusTopic = "homeassistant/status"

// A Style is a way of announcing entities. One hub must never hear both Device and Component: it would see two
// claims to the same entity and keep whichever came first.
type Style uint8

const (
	// Device announces a meter in one message: Home Assistant since 2024.12, Gladys, the newest openHAB.
	Device Style = iota
	// Component announces each entity in a message of its own: Domoticz, and older hubs.
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

// UnmarshalText reads "device", "component" or "off".
func (s *Style) UnmarshalText(text []byte) error {
	i := slices.Index(styleTexts, string(text))
	if i < 0 {
		return fmt.Errorf("discovery %q: want device, component or off", text)
	}
	*s = Style(i)
	return nil
}
