package discovery

import (
	"slices"
	"strings"
)

// Levels of discovery topics.
const (
	deviceLevel  = "device"
	configLevel  = "config"
	sensor       = "sensor"
	binarySensor = "binary_sensor"
)

// A place is a discovery topic of this program in its parts: <prefix>/device/<device>/config, or
// <prefix>/<platform>/<device>/<key>/config. Platform and key are "" in the first.
type place struct{ prefix, platform, device, key string }

// placeOf reads a topic; false for one that another program made. The prefix may have levels itself.
func placeOf(topic string) (place, bool) {
	levels := strings.Split(topic, "/")
	n := len(levels)
	if n < 4 || levels[n-1] != configLevel {
		return place{}, false
	}
	prefix := func(n int) string { return strings.Join(levels[:n], "/") }
	if n > 4 && slices.Contains([]string{sensor, binarySensor}, levels[n-4]) && ours(levels[n-3]) {
		return place{prefix(n - 4), levels[n-4], levels[n-3], levels[n-2]}, true
	}
	if levels[n-3] == deviceLevel && ours(levels[n-2]) {
		return place{prefix: prefix(n - 3), device: levels[n-2]}, true
	}
	return place{}, false
}

func ours(device string) bool { return strings.HasPrefix(device, program+"_") }

// topic is the reverse of placeOf.
func (p place) topic() string {
	if p.key == "" {
		return p.prefix + "/" + deviceLevel + "/" + p.device + "/" + configLevel
	}
	return p.prefix + "/" + p.platform + "/" + p.device + "/" + p.key + "/" + configLevel
}

// entity is the place that an entity has in Component style: what makes it the same one for a hub in both styles.
func (p place) entity(key, platform string) place { return place{p.prefix, platform, p.device, key} }
