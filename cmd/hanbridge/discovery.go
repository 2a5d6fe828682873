package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/hanbridge/hanbridge/bridge/output/mqtt"
	"github.com/hanbridge/hanbridge/bridge/source"
	"github.com/hanbridge/hanbridge/discovery"
	"github.com/hanbridge/hanbridge/pkg/dlms"
	"github.com/hanbridge/hanbridge/pkg/meter"
	"github.com/hanbridge/hanbridge/pkg/quantity"
	"github.com/hanbridge/hanbridge/pkg/simulate"
)

func (p *program) discoveryCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "discovery", Short: "What Home Assistant is told", Example: "  hanbridge discovery show", Args: knownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	show := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Prints what is announced on the broker, or what would be for the telegrams in a file",
		Example: "  hanbridge discovery show --config config.yaml\n  hanbridge discovery show telegram.txt\n" +
			"  hanbridge discovery show --family aidon-se",
		Args: takes(0, 1),
	}
	file := show.Flags().String("config", "", "configuration `FILE`")
	family := show.Flags().String("family", "", "what would be announced for a simulated meter, `NAME` as simulate --list names it")
	show.RunE = func(c *cobra.Command, files []string) error {
		cfg, err := loadConfig(foundConfig(*file), p.environ)
		if err != nil {
			return err
		}
		w := &wiring{Config: cfg, log: zerolog.Nop()}
		switch {
		case len(files) > 0 && *family != "":
			return errors.New("discovery show: a file or --family, not both")
		case cfg.HomeAssistant.Discovery == "off":
			return errors.New("homeassistant.discovery is off: nothing is announced")
		case len(files) > 0:
			return p.showFile(w, files[0])
		case *family != "":
			return p.showFamily(w, *family)
		}
		return p.showAnnounced(c.Context(), w)
	}
	c.AddCommand(show)
	return c
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

// allLists is how many telegrams from the full hour on hold every list of a meter: the Norwegian hourly one comes 10 s after it.
const allLists = 8

func (p *program) showFamily(w *wiring, name string) error {
	f, err := familyNamed(name)
	if err != nil {
		return err
	}
	var stream bytes.Buffer
	hour := simulate.NewMeter(f, 1, time.Now().Truncate(time.Hour))
	for range allLists {
		_, telegram := hour.Next()
		stream.Write(telegram)
	}
	return p.showStream(w, name, &stream, meter.Options{Keys: simulatedKey(f)})
}

func (p *program) showFile(w *wiring, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var o meter.Options
	if len(w.Meters) > 0 {
		if o, err = optionsOf(w.Meters[0]); err != nil {
			return err
		}
	}
	return p.showStream(w, name, source.Bytes(f), o)
}

// showStream prints what would be announced of a meter that sends these bytes and is read with these options.
func (p *program) showStream(w *wiring, name string, r io.Reader, o meter.Options) error {
	m := discovery.Meter{ID: "meter"}
	if len(w.Meters) > 0 {
		m.ID, m.Name = w.Meters[0].ID, w.Meters[0].Name
	}
	seen := map[quantity.ID]bool{}
	var locked *dlms.LockedError
	d := meter.NewDecoder(r)
	for d.Options = o; ; {
		reading, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*meter.TelegramError](err); ok {
			if e, ok := errors.AsType[*dlms.LockedError](bad); ok {
				locked = cmp.Or(locked, e)
			}
			continue
		}
		if err != nil {
			return failure{err, exitData}
		}
		m.Make, m.Model = cmp.Or(reading.Meter.Make, m.Make), cmp.Or(reading.Meter.Model, m.Model)
		m.Serial, m.Software = cmp.Or(reading.Meter.Serial, m.Serial), cmp.Or(reading.Meter.List, m.Software)
		for _, s := range reading.Samples {
			if !seen[s.ID] {
				seen[s.ID] = true
				m.Quantities = append(m.Quantities, discovery.Quantity{ID: s.ID, As: s.As, Decimals: s.Decimals()})
			}
		}
	}
	switch {
	case len(seen) == 0 && locked != nil:
		return failure{fmt.Errorf("%s: its telegrams are encrypted, and %s", name, keyWanted(locked)), exitData}
	case len(seen) == 0:
		return failure{fmt.Errorf("%s: no telegram in it", name), exitData}
	}
	c := w.mqtt().Discovery()
	return p.showMessages(append(c.Bridge(), c.Meter(m)...))
}

// keyWanted says which key of the configuration would open a telegram.
func keyWanted(e *dlms.LockedError) string {
	switch {
	case e.AuthKey:
		return "the key of the configuration fits, but its authentication key does not: compare auth_key, or leave it out"
	case e.Tried:
		return "no key of the configuration fits: name that of the meter as key or key_file; " + maybeSwapped
	}
	return "the configuration has no key: name the file with that of the meter as key_file, in the file of --config or as HANBRIDGE_METER_KEY_FILE"
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
