// Package announcements shows, compares and takes back what the broker holds for Home Assistant. It also finds out which
// quantities a meter sends, from a file, a simulation or the broker.
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

// Load loads the configuration of a command beside the bridge, with another prefix where that is not "".
func Load(p *cli.Program, file, prefix string) (*daemon.Setup, error) {
	cfg, err := config.Load(config.FindFile(file), p.Environ)
	w := &daemon.Setup{Config: cfg, Logger: zerolog.Nop()}
	if err != nil || prefix == "" {
		return w, err
	}
	w.HomeAssistant.Prefix = prefix
	return w, mqtt.ValidateTopic("--prefix", prefix)
}

// ReadTimeout bounds a command that reads, perhaps twice, what the broker retains.
const ReadTimeout = 45 * time.Second

// IsIncomplete tells if an error is that not all was read which the broker retains.
func IsIncomplete(err error) bool {
	_, is := errors.AsType[*mqtt.IncompleteError](err)
	return is
}

// Show prints what is announced for the meter that is seen, or, where none is, what is announced on the broker.
func Show(ctx context.Context, p *cli.Program, from *MeterFlags, prefix string, files []string) error {
	w, err := Load(p, from.Config, prefix)
	if err != nil {
		return err
	}
	if w.HomeAssistant.Discovery == discovery.Off {
		return errors.New("homeassistant.discovery is off: nothing is announced")
	}
	seen, err := from.Observe("discovery show", w, files)
	switch {
	case err != nil:
		return err
	case seen == nil:
		return showAnnounced(ctx, p, w)
	}
	d := w.MQTTOutput().Discovery()
	return showMessages(p, append(d.Bridge(), d.Meter(seen.Meter)...))
}

// showAnnounced prints what the broker retains.
func showAnnounced(ctx context.Context, p *cli.Program, w *daemon.Setup) error {
	if err := w.RequireBroker(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	messages, err := mqtt.RetainedAnnouncements(ctx, w.MQTTOutput())
	if err != nil && IsIncomplete(err) {
		err = errors.Join(showMessages(p, messages), cli.DataError(err))
	}
	if err != nil {
		return cli.DataError(err)
	}
	if len(messages) == 0 {
		p.PrintMessage("nothing is announced below %s on %s (is the bridge running, and has the meter spoken?)",
			w.HomeAssistant.Prefix, w.MQTT.URL)
		return cli.ErrPrinted
	}
	return showMessages(p, messages)
}

// showMessages prints announcements, each with its topic and with its JSON indented.
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
