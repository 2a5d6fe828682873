package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
)

func (p *program) discoveryClearCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "clear",
		Short: "Takes back what is announced of the configured meters and of the bridge",
		Long: "Takes back what is announced of the configured meters and of the bridge, in either style: Home Assistant removes their\n" +
			"entities. Values stay. A bridge that runs announces everything again when it or Home Assistant starts the next time:\n" +
			"to be rid of the announcements set homeassistant.discovery to off, restart the bridge, and clear then.",
		Example: "  hanbridge discovery clear --config config.yaml\n  hanbridge discovery clear --all",
		Args:    takes(0, 0),
	}
	file := c.Flags().String("config", "", "configuration `FILE`")
	all := c.Flags().Bool("all", false, "also meters that are not configured, if they publish below mqtt.base_topic")
	c.RunE = func(c *cobra.Command, _ []string) error {
		w, err := p.wired(*file)
		if err != nil {
			return err
		}
		if err := w.NeedBroker(); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), checkTime)
		defer cancel()
		return p.discoveryClear(ctx, w, *all)
	}
	return c
}

func (p *program) discoveryClear(ctx context.Context, w *wiring, all bool) error {
	to := w.mqtt()
	topics, err := w.announcedTopics(ctx, all)
	if err != nil {
		return failure{err, exitData}
	}
	if len(topics) == 0 {
		fmt.Fprintf(p.out, "nothing of this configuration is announced below %s on %s\n", to.Prefix, to.URL)
		return nil
	}
	if err := mqtt.TakeBack(ctx, to, topics); err != nil {
		return failure{err, exitData}
	}
	// A broker acknowledges what its rules forbid.
	left, err := w.announcedTopics(ctx, all)
	if err != nil {
		return failure{err, exitData}
	}
	for _, topic := range topics {
		if slices.Contains(left, topic) {
			p.complain("%s is still there (may this user publish it, or has a bridge announced it again?)", topic)
			err = errData
			continue
		}
		fmt.Fprintln(p.out, topic)
	}
	if err == nil {
		fmt.Fprintln(p.out, "taken back. A bridge announces again when it or Home Assistant starts: homeassistant.discovery: off keeps it from that")
	}
	return err
}

// announcedTopics returns the topics of what is announced of the configured meters and of the bridge, in either style, and with
// all of everything that publishes below the base topic.
func (w *wiring) announcedTopics(ctx context.Context, all bool) ([]string, error) {
	to := w.mqtt()
	messages, err := mqtt.Announced(ctx, to)
	if err != nil {
		return nil, err
	}
	var topics []string
	for _, m := range concerning(messages, append(w.meterIDs(), bridgeID), to.BaseTopic, all) {
		topics = append(topics, m.Topic)
	}
	return topics, nil
}
