package hatest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const devicePlatform = "device"

// platforms are those that hanbridge announces, and that every hub of the last years knows. One entity of a platform
// that is newer than the hub loses the whole device.
var platforms = []string{"sensor", "binary_sensor"}

// An address is a discovery topic in its parts. The node is "" where there is none.
type address struct{ platform, node, object string }

var safeID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// parseTopic reads <prefix>/<platform>/[<node>/]<object>/config. The prefix is its owner's and may have levels itself.
func parseTopic(topic string) (address, error) {
	levels := strings.Split(topic, "/")
	n := len(levels)
	if n < 4 || levels[n-1] != "config" {
		return address{}, fmt.Errorf("topic %s: no discovery topic", topic)
	}
	a := address{object: levels[n-2]}
	switch {
	case n > 4 && announces(levels[n-4]):
		a.platform, a.node = levels[n-4], levels[n-3]
	case announces(levels[n-3]):
		a.platform = levels[n-3]
	default:
		return address{}, fmt.Errorf("topic %s: no platform that hanbridge announces", topic)
	}
	if !safeID.MatchString(a.object) || a.node != "" && !safeID.MatchString(a.node) {
		return address{}, fmt.Errorf("topic %s: an id has other characters than a-z A-Z 0-9 _ -", topic)
	}
	return a, nil
}

func announces(level string) bool {
	return level == devicePlatform || slices.Contains(platforms, level)
}

// foreign are trees to which Home Assistant listens for other bridges: what it hears there starts their set-up.
var foreign = []string{"dsmr", "tasmota", "fully", "drop_connect"}

// stateTopic tells if a topic is one to publish on.
func stateTopic(topic string) bool {
	levels := strings.Split(topic, "/")
	return topic != "" && !strings.ContainsAny(topic, "+#\x00") && !strings.HasPrefix(topic, "$") &&
		!slices.Contains(levels, "") && !slices.Contains(foreign, levels[0])
}
