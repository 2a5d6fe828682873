package discovery

import (
	"slices"
	"strings"
)

// Levels of discovery topics.
const (
	deviceLevel          = "device"
	configLevel          = "config"
	sensorPlatform       = "sensor"
	binarySensorPlatform = "binary_sensor"
)

// A topicParts has the parts of a discovery topic of this program: <prefix>/device/<device>/config, or
// <prefix>/<platform>/<device>/<key>/config. Platform and key are "" in the first form.
type topicParts struct{ prefix, platform, device, key string }

// parseTopic splits a topic. It returns false for a topic of another program. The prefix can have several levels.
func parseTopic(topic string) (topicParts, bool) {
	levels := strings.Split(topic, "/")
	n := len(levels)
	if n < 4 || levels[n-1] != configLevel {
		return topicParts{}, false
	}
	prefix := func(count int) string { return strings.Join(levels[:count], "/") }
	if n > 4 && slices.Contains([]string{sensorPlatform, binarySensorPlatform}, levels[n-4]) && isOurs(levels[n-3]) {
		return topicParts{prefix(n - 4), levels[n-4], levels[n-3], levels[n-2]}, true
	}
	if levels[n-3] == deviceLevel && isOurs(levels[n-2]) {
		return topicParts{prefix: prefix(n - 3), device: levels[n-2]}, true
	}
	return topicParts{}, false
}

// isOurs reports whether a device identifier is from this program.
func isOurs(device string) bool { return strings.HasPrefix(device, program+"_") }

// topic returns the topic with these parts. It is the reverse of parseTopic.
func (p topicParts) topic() string {
	if p.key == "" {
		return p.prefix + "/" + deviceLevel + "/" + p.device + "/" + configLevel
	}
	return p.prefix + "/" + p.platform + "/" + p.device + "/" + p.key + "/" + configLevel
}

// entityTopic returns the topic that an entity of the device of p has in Component style. It identifies the entity in both styles.
func (p topicParts) entityTopic(key, platform string) topicParts {
	return topicParts{p.prefix, platform, p.device, key}
}
