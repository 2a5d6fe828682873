package mqtt

import (
	"context"
	"errors"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A CheckResult is what Check found out about a broker.
type CheckResult struct {
	// RetainAvailable is true if the broker supports retained messages.
	RetainAvailable bool
	// Warnings say, in words for users, what does not work at this broker.
	Warnings []string
}

// The sizes, in bytes and rounded up, of a packet that announces a meter with 31 entities and of one that announces a single entity.
const (
	largeAnnouncement = 16 << 10
	smallAnnouncement = 1 << 10
)

// Check connects to the broker and tests whether the bridge may publish values and announcements, whether the broker supports retained
// messages, and whether it accepts announcements of the usual size. It uses topics that nobody else reads and leaves nothing retained there.
// It returns an error if the bridge cannot work with this broker.
func Check(ctx context.Context, c Config) (CheckResult, error) {
	topics, sizes := []string{c.testTopic()}, []int(nil)
	if c.Style == discovery.Device {
		sizes = append(sizes, largeAnnouncement)
	}
	if c.Style != discovery.Off {
		topics, sizes = append(topics, c.announcementTestTopic()), append(sizes, smallAnnouncement)
	}
	report, err := broker.Check(ctx, c.broker(), sizes, topics...)
	found := CheckResult{RetainAvailable: report.RetainAvailable}
	if err = errors.Join(err, errors.Join(report.Denied...)); err != nil {
		return found, err
	}
	if !found.RetainAvailable {
		found.Warnings = append(found.Warnings, "the broker keeps no messages: "+c.costOfNoRetain())
	}
	switch n := len(report.Refused); {
	case n > 0 && n == len(sizes):
		err = report.Refused[0] // the largest size, which the broker's limit must allow
	case n > 0:
		found.Warnings = append(found.Warnings, report.Refused[0].Error()+". "+inComponentStyle)
	}
	return found, err
}

const inComponentStyle = "Until then such meters are announced entity by entity, as with homeassistant.discovery: component"

// costOfNoRetain says what does not work without retained messages, and what to do.
func (c Config) costOfNoRetain() string {
	text := "a hub that starts shows nothing until the next value"
	if c.Style != discovery.Off {
		text += ", and is told of meters and values again when it says online on " + c.StatusTopic
	}
	return text + " (switch retained messages on at the broker; Mosquitto: take retain_available false out of mosquitto.conf)"
}
