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
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/discovery"
)

func discoveryCommand(p *cli.Program) *cobra.Command {
	c := &cobra.Command{
		Use: "discovery", Short: "What Home Assistant is told", Example: "  hanbridge discovery show", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(discoveryShowCommand(p), discoveryDiffCommand(p), discoveryClearCommand(p))
	return c
}

func discoveryShowCommand(p *cli.Program) *cobra.Command {
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
		w, err := wiredBelow(p, from.config, *prefix)
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
			return showAnnounced(c.Context(), p, w)
		}
		d := w.MQTTOutput().Discovery()
		return showMessages(p, append(d.Bridge(), d.Meter(seen.meter)...))
	}
	return c
}

// wired loads the configuration of a command beside the bridge.
func wired(p *cli.Program, file string) (*daemon.Setup, error) {
	cfg, err := config.Load(config.Found(file), p.Environ)
	return &daemon.Setup{Config: cfg, Logger: zerolog.Nop()}, err
}

// addPrefixFlag is for commands that look at what is announced: below another prefix than the configured one as well.
func addPrefixFlag(c *cobra.Command) *string {
	return c.Flags().String("prefix", "", "look below the discovery prefix `PREFIX`, as after a change of homeassistant.prefix")
}

// wiredBelow is wired, with another prefix where that is not "".
func wiredBelow(p *cli.Program, file, prefix string) (*daemon.Setup, error) {
	w, err := wired(p, file)
	if err != nil || prefix == "" {
		return w, err
	}
	var found config.Problems
	config.CheckTopic(&found, "--prefix", prefix)
	w.HomeAssistant.Prefix = prefix
	return w, found.Err()
}

// readTime bounds a command that reads, perhaps twice, what the broker retains.
const readTime = 45 * time.Second

// incomplete tells if an error is that not all was read which the broker retains.
func incomplete(err error) bool {
	_, is := errors.AsType[*mqtt.IncompleteError](err)
	return is
}

// showAnnounced prints what the broker retains.
func showAnnounced(ctx context.Context, p *cli.Program, w *daemon.Setup) error {
	if err := w.NeedBroker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	messages, err := mqtt.Announced(ctx, w.MQTTOutput())
	if err != nil && incomplete(err) {
		err = errors.Join(showMessages(p, messages), cli.DataError(err))
	}
	if err != nil {
		return cli.DataError(err)
	}
	if len(messages) == 0 {
		p.Complain("nothing is announced below %s on %s (is the bridge running, and has the meter spoken?)",
			w.HomeAssistant.Prefix, w.MQTT.URL)
		return cli.ErrPrinted
	}
	return showMessages(p, messages)
}

func showMessages(p *cli.Program, messages []discovery.Message) error {
	for _, m := range messages {
		var text bytes.Buffer
		if err := json.Indent(&text, m.Payload, "", "  "); err != nil {
			text.Reset()
			text.Write(m.Payload)
		}
		if _, err := fmt.Fprintf(safetext.Lines{W: p.Out}, "%s\n%s\n\n", m.Topic, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
