// Package announcements implements the command discovery. It shows, compares and removes the announcements that the broker retains for Home
// Assistant. It also finds out from a file, a simulation or the retained messages which quantities a meter sends.
package announcements

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/daemon"
	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/safetext"
	"github.com/hanbridge/hanbridge/discovery"
)

// Load loads the configuration for a command that connects to the broker of the bridge. If prefix is not "", it replaces the discovery prefix.
func Load(p *cli.Program, file, prefix string) (*daemon.Setup, error) {
	cfg, err := config.Load(config.FindFile(file), p.Environ)
	setup := &daemon.Setup{Config: cfg, Logger: zerolog.Nop()}
	if err != nil || prefix == "" {
		return setup, err
	}
	setup.HomeAssistant.Prefix = prefix
	return setup, mqtt.ValidateTopic("--prefix", prefix)
}

// ReadTimeout is the timeout of a command that reads the retained messages of a broker once or twice.
const ReadTimeout = 45 * time.Second

// IsIncomplete reports whether err says that not all retained messages were read (*mqtt.IncompleteError).
func IsIncomplete(err error) bool {
	_, ok := errors.AsType[*mqtt.IncompleteError](err)
	return ok
}

// Show prints the announcements for the meter that flags or files name. If neither names a meter, it prints the announcements that
// the broker retains.
func Show(ctx context.Context, p *cli.Program, from *MeterFlags, prefix string, files []string) error {
	setup, err := Load(p, from.Config, prefix)
	if err != nil {
		return err
	}
	if setup.HomeAssistant.Discovery == discovery.Off {
		return errors.New("homeassistant.discovery is off: nothing is announced")
	}
	observed, err := from.Observe("discovery show", setup, files)
	switch {
	case err != nil:
		return err
	case observed == nil:
		return showAnnounced(ctx, p, setup)
	}
	d := setup.MQTTOutput().Discovery()
	return showMessages(p, append(d.Bridge(), d.Meter(observed.Meter)...))
}

// showAnnounced prints the announcements that the broker retains.
func showAnnounced(ctx context.Context, p *cli.Program, setup *daemon.Setup) error {
	if err := setup.RequireBroker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	messages, err := mqtt.RetainedAnnouncements(ctx, setup.MQTTOutput())
	if err != nil && IsIncomplete(err) {
		err = errors.Join(showMessages(p, messages), cli.DataError(err))
	}
	if err != nil {
		return cli.DataError(err)
	}
	if len(messages) == 0 {
		p.PrintMessage("nothing is announced below %s on %s (is the bridge running, and has the meter sent a telegram?)",
			setup.HomeAssistant.Prefix, setup.MQTT.URL)
		return cli.ErrPrinted
	}
	return showMessages(p, messages)
}

// showMessages prints the topic and the indented JSON of each announcement.
func showMessages(p *cli.Program, messages []discovery.Message) error {
	for _, m := range messages {
		var text bytes.Buffer
		if err := json.Indent(&text, m.Payload, "", "  "); err != nil {
			text.Reset()
			text.Write(m.Payload)
		}
		if _, err := fmt.Fprintf(safetext.LineWriter{W: p.Out}, "%s\n%s\n\n", m.Topic, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
