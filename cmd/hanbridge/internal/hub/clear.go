package hub

import (
	"context"
	"fmt"
	"slices"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
)

// Clear takes back what is announced. A bridge that runs may announce it again where that is below the configured prefix.
func Clear(ctx context.Context, p *cli.Program, w *daemon.Setup, all, configured bool) error {
	to := w.MQTTOutput()
	topics, err := announcedTopics(ctx, w, all)
	switch {
	case err != nil && !Incomplete(err):
		return cli.DataError(err)
	case err != nil:
		p.Complain("%v: what was not read stays; when this is done, do it again", err)
	case len(topics) == 0:
		fmt.Fprintf(p.Out, "nothing of this configuration is announced below %s on %s\n", to.Prefix, to.URL)
		return nil
	}
	if err := mqtt.TakeBack(ctx, to, topics); err != nil {
		return cli.DataError(err)
	}
	left, short := announcedTopics(ctx, w, all) // a broker acknowledges what its rules forbid
	if short != nil {
		return cli.DataError(fmt.Errorf("%d topics were taken back, and whether they are gone could not be read: %w", len(topics), short))
	}
	good := err == nil
	for _, topic := range topics {
		if slices.Contains(left, topic) {
			p.Complain("%s is still there (may this user publish it, or has a bridge announced it again?)", topic)
			good = false
			continue
		}
		fmt.Fprintln(p.Out, topic)
	}
	switch {
	case !good:
		return cli.ErrPrinted
	case configured:
		fmt.Fprintln(p.Out, "taken back. A bridge announces again when it or Home Assistant starts: homeassistant.discovery: off keeps it from that")
	default:
		fmt.Fprintln(p.Out, "taken back")
	}
	return nil
}

// announcedTopics returns the topics of what is announced of the configured meters and of the bridge, in either style, and with
// all of everything that publishes below the base topic. With an *mqtt.IncompleteError what was read is returned too.
func announcedTopics(ctx context.Context, w *daemon.Setup, all bool) ([]string, error) {
	to := w.MQTTOutput()
	messages, err := mqtt.Announced(ctx, to)
	var topics []string
	for _, m := range concerning(messages, append(w.MeterIDs(), config.BridgeID), to.BaseTopic, all) {
		topics = append(topics, m.Topic)
	}
	return topics, err
}
