package doctor

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hanbridge/hanbridge/cmd/hanbridge/internal/config"
)

// choose finds out which meter is meant, and lays what the command line says over its configuration.
func (d *examination) choose(o Order) error {
	if o.Port != "" {
		if err := d.choosePort(o.Port); err != nil {
			return err
		}
	} else if len(d.cfg.Meters) > 1 {
		return fmt.Errorf("doctor: the configuration has %d meters: name the port of one, as hanbridge doctor %s",
			len(d.cfg.Meters), d.cfg.Meters[0].Port)
	}
	m := d.meter()
	d.auto = m.Port.Kind == config.AutoPort
	if o.Serial != "" {
		configured := m.Serial
		d.configured = &configured
		if err := m.Serial.UnmarshalText([]byte(o.Serial)); err != nil {
			return fmt.Errorf("--serial: %w", err)
		}
	}
	if !o.Keys.Given() {
		return nil
	}
	if _, err := o.Keys.Open(); err != nil {
		return err
	}
	m.Key, m.AuthKey, m.KeyFile = config.Secret(o.Keys.Key), config.Secret(o.Keys.AuthKey), "" // what is tried is what is proposed
	if o.Keys.File != "" {
		m.KeyFile = o.Keys.File
		if whole, err := filepath.Abs(m.KeyFile); err == nil {
			m.KeyFile = whole // the bridge may be started from another folder
		}
	}
	d.masked = m.Key != "" && m.KeyFile != ""
	return nil
}

// choosePort takes the meter that is configured on a port, or moves the only one there.
func (d *examination) choosePort(text string) error {
	var port config.Port
	if info, err := os.Stat(text); err == nil && info.Mode().IsRegular() {
		text = "replay:" + text
	}
	if err := port.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	i, err := d.cfg.MeterOn(port, d.file)
	if err != nil {
		return fmt.Errorf("doctor: %w", err)
	}
	d.index = i
	d.meter().Port = port
	return nil
}
