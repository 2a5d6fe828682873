package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

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
	c.RunE = func(c *cobra.Command, files []string) error {
		w, err := p.wired(from.config)
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

// showAnnounced prints what the broker retains.
func (p *program) showAnnounced(ctx context.Context, w *wiring) error {
	if err := w.NeedBroker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	messages, err := mqtt.Announced(ctx, w.mqtt())
	if err != nil {
		return failure{err, exitData}
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
		if _, err := fmt.Fprintf(p.out, "%s\n%s\n\n", m.Topic, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
