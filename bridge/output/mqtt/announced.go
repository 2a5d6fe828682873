package mqtt

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hanbridge/hanbridge/discovery"
)

// quiet is how long the broker may be silent before it has sent all that it retains.
const quiet = 500 * time.Millisecond

// Announced returns what the broker retains of the announcements of bridges such as this one, in the order of topics. With an
// *IncompleteError what was read is returned too.
func Announced(ctx context.Context, c Config) ([]discovery.Message, error) {
	ours := func(topic string) bool { return strings.Contains(topic, "/hanbridge_") }
	messages, err := kept(ctx, c, "-show", ours, c.announcedFilters("+")...)
	var all []discovery.Message
	for _, m := range messages {
		all = append(all, discovery.Message{Topic: m.Topic, Payload: m.Payload})
	}
	slices.SortFunc(all, func(a, b discovery.Message) int { return cmp.Compare(a.Topic, b.Topic) })
	return all, err
}
