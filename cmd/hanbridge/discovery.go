package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/discovery"
)

func (p *program) discoveryCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "discovery", Short: "What Home Assistant is told", Example: "  hanbridge discovery show", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.discoveryShowCommand(), p.discoveryDiffCommand(), p.discoveryClearCommand())
	return c
}

func (p *program) discoveryShowCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Prints what is announced on the broker, or what would be for the telegrams in a file",
		Example: "  hanbridge discovery show --config config.yaml\n  hanbridge discovery show telegram.txt\n" +
			"  hanbridge discovery show --family aidon-se",
		Args: takes(0, 1),
	}
	from := addSeenFlags(c, "what would be announced for a simulated meter")
	prefix := addPrefixFlag(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		w, err := p.wiredBelow(from.config, *prefix)
		if err != nil {
			return err
		}
		if w.HomeAssistant.Discovery == "off" {
			return errors.New("homeassistant.discovery is off: nothing is announced")
		}
		seen, err := from.look("discovery show", w, files)
		switch {
		case err != nil:
			return err
		case seen == nil:
			return p.showAnnounced(c.Context(), w)
		}
		d := w.mqtt().Discovery()
		return p.showMessages(append(d.Bridge(), d.Meter(seen.meter)...))
	}
	return c
}

// wired loads the configuration of a command beside the bridge.
func (p *program) wired(file string) (*wiring, error) {
	cfg, err := loadConfig(foundConfig(file), p.environ)
	return &wiring{Config: cfg, log: zerolog.Nop()}, err
}

// addPrefixFlag is for commands that look at what is announced: below another prefix than the configured one as well.
func addPrefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, as after a change of homeassistant.prefix")
}

// wiredBelow is wired, with another prefix where that is not "".
func (p *program) wiredBelow(file, prefix string) (*wiring, error) {
	w, err := p.wired(file)
	if err != nil || prefix == "" {
		return w, err
	}
	var found problems
	checkTopic(&found, "--prefix", prefix)
	w.HomeAssistant.Prefix = prefix
	return w, found.err()
}

// readTime bounds a command that reads, perhaps twice, what the broker retains.
const readTime = 45 * time.Second

// incomplete tells if an error is that not all was read which the broker retains.
func incomplete(err error) bool {
	_, is := errors.AsType[*mqtt.IncompleteError](err)
	return is
}

// showAnnounced prints what the broker retains.
func (p *program) showAnnounced(ctx context.Context, w *wiring) error {
	if err := w.NeedBroker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	messages, err := mqtt.Announced(ctx, w.mqtt())
	if err != nil && incomplete(err) {
		err = errors.Join(p.showMessages(messages), dataError(err))
	}
	if err != nil {
		return dataError(err)
	}
	if len(messages) == 0 {
		p.complain("nothing is announced below %s on %s (is the bridge running, and has the meter spoken?)",
			w.HomeAssistant.Prefix, w.MQTT.URL)
		return errData
	}
	return p.showMessages(messages)
}

func (p *program) showMessages(messages []discovery.Message) error {
	for _, m := range messages {
		var text bytes.Buffer
		if err := json.Indent(&text, m.Payload, "", "  "); err != nil {
			text.Reset()
			text.Write(m.Payload)
		}
		if _, err := fmt.Fprintf(screenText{p.out}, "%s\n%s\n\n", m.Topic, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
