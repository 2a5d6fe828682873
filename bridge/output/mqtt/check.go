package mqtt

import (
	"context"
	"errors"

	"github.com/hanbridge/hanbridge/bridge/internal/broker"
	"github.com/hanbridge/hanbridge/discovery"
)

// A CheckResult is the result of Check for a broker.
type CheckResult struct {
	// RetainAvailable is true if the broker supports retained messages.
	RetainAvailable bool
	// Warnings say, in words for users, what does not work at this broker.
	Warnings []string
}

const (
	// largeAnnouncement is the size of a packet that announces a meter with 31 entities, in bytes, rounded up.
	largeAnnouncement = 16 << 10
	// smallAnnouncement is the size of a packet that announces one entity, in bytes, rounded up.
	smallAnnouncement = 1 << 10
)

// Check connects to the broker and tests three things: whether the bridge is permitted to publish values and announcements, whether the broker
// supports retained messages, and whether the broker accepts announcements of the usual size. Check uses topics that no other program reads. No
// message remains retained there. It returns an error if the bridge cannot work with this broker.
func Check(ctx context.Context, c Config) (CheckResult, error) {
	topics, sizes := []string{c.testTopic()}, []int(nil)
	if c.Style == discovery.Device {
		sizes = append(sizes, largeAnnouncement)
	}
	if c.Style != discovery.Off {
		topics, sizes = append(topics, c.announcementTestTopic()), append(sizes, smallAnnouncement)
	}
	report, err := broker.Check(ctx, c.brokerConfig(), sizes, topics...)
	result := CheckResult{RetainAvailable: report.RetainAvailable}
	if err = errors.Join(err, errors.Join(report.Denied...)); err != nil {
		return result, err
	}
	if !result.RetainAvailable {
		result.Warnings = append(result.Warnings, "the broker keeps no messages: "+c.noRetainText())
	}
	switch n := len(report.Refused); {
	case n > 0 && n == len(sizes):
		err = report.Refused[0] // about the largest size, because the broker's limit must be larger than this size
	case n > 0:
		result.Warnings = append(result.Warnings, report.Refused[0].Error()+". "+componentStyleText)
	}
	return result, err
}

// componentStyleText says what happens if only announcements of whole devices are too large.
const componentStyleText = "Until the limit is raised, such meters are announced entity by entity, as with homeassistant.discovery: component"

// noRetainText says, in words for users, what does not work without retained messages, and what to do.
func (c Config) noRetainText() string {
	text := "a hub that starts shows nothing until the next value"
	if c.Style != discovery.Off {
		text += ". When the hub publishes online under " + c.StatusTopic + ", this bridge publishes meters and values again"
	}
	return text + " (switch retained messages on at the broker; Mosquitto: remove retain_available false from mosquitto.conf)"
}
